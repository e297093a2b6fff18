// Package check holds the tests of the deployment's files that need libraries of their platforms: Kubernetes, kustomize, compose,
// Grafana. It is a module by itself, so that the server's doesn't have these dependencies. make check-deploy runs them.
package check
