//go:build !race

package warc

// stride is how many steps lie between those that a test fails or stops at: each in its turn.
const stride = 1
