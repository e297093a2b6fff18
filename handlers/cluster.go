package handlers

import (
	"math"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/cluster"
)

// clusterAPI serves the list of nodes.
type clusterAPI struct {
	nodes func(after int64) cluster.View
	pages *pages
}

// noNodes is the list of a server without one.
var noNodes = cluster.View{Bus: "memory", Connected: true, Nodes: []cluster.Node{}, Changes: []cluster.Change{}, Differences: []cluster.Difference{}}

// list is GET /api/cluster?since=: the nodes as this one knows them, with their figures after a time.
func (a *clusterAPI) list(c *fiber.Ctx) error {
	q := queryOf(c)
	since := q.number("since", math.MaxInt64, 0, math.MaxInt64) // without it no points
	if err := q.err(); err != nil {
		return err
	}
	noStore(c)
	return c.JSON(a.nodes(int64(since)))
}

// page is GET /cluster. Its script requests the list.
func (a *clusterAPI) page(c *fiber.Ctx) error {
	return a.pages.application(c, a.pages.constant, "cluster", "", "page.title.cluster", "cluster", func(*view) {})
}
