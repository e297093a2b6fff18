// Package auth decides who a client is and what it may do: principals, their rights, and the credentials that prove them.
package auth
