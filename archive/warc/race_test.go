//go:build race

package warc

// stride is how many steps lie between those that a test fails or stops at. The race detector makes the database some
// twenty times slower, so that each run takes a sample of the steps, another one each time.
const stride = 7
