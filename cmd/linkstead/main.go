// Command linkstead keeps the sources of a post alive: it captures a post and every source it links to into WARC files,
// and replays the copies.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once; nothing acknowledged is lost
	p := &program{args: os.Args[1:], getenv: os.Getenv, vars: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(ctx))
}
