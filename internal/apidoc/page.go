package apidoc

// Page holds both descriptions in the order in which the page shows them.
type Page struct {
	Title    string
	Text     []Paragraph
	Sections []Section
	Socket   Socket
	Events   []Schema // Server-Sent Events
	Messages []Schema // of both lanes
	Schemas  []Schema // all others
}

// Paragraph is a text, parts of which are code.
type Paragraph []Span

// Span is a part of a paragraph.
type Span struct {
	Text string
	Code bool
}

// Section is a tag with its operations.
type Section struct {
	ID, Title  string
	Text       []Paragraph
	Operations []Operation
}

// Operation is one method of one path.
type Operation struct {
	ID, Method, Path, Summary string

	Text       []Paragraph
	Parameters []Field
	BodyText   []Paragraph
	Body       []Content
	Responses  []Response
}

// Response is one answer of an operation.
type Response struct {
	Status, Title string
	Text          []Paragraph
	Headers       []Field
	Contents      []Content
}

// Content is a body in one media type.
type Content struct {
	Media    string
	Type     Type
	Fields   []Field
	Examples []string
}

// Field is a parameter, a header or a member of an object.
type Field struct {
	Name, In, Default, Range string

	Required bool
	Type     Type
	Text     []Paragraph
	Examples []string
}

// Type is the type of a value in words. Link is the anchor of its schema, "" if it has none.
type Type struct{ Text, Link string }

// Schema is an object, or several of which one applies.
type Schema struct {
	ID, Name, Title string
	Text            []Paragraph
	Type            Type
	Fields          []Field
	Variants        []Schema
	Examples        []string
}

// Socket is the WebSocket lane.
type Socket struct {
	Title, Path string
	Text        []Paragraph
	Channel     []Paragraph
	Headers     []Field
	Parameters  []Field
	Operations  []Traffic
	Closes      []Close
}

// Traffic lists the messages of one direction.
type Traffic struct {
	ID, Title         string
	Text              []Paragraph
	Messages, Replies []Type
}

// Close is a close code of a WebSocket.
type Close struct {
	Code, Reason string
	Text         []Paragraph
}
