// The bundler replaces a Markdown file by the path of its copy among the bundles, relative to the module.
declare module '*.md' {
  const path: string;
  export default path;
}
