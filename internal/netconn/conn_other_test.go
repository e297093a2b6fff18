//go:build !linux

package netconn

var transferCases []callbackCase
