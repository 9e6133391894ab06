package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/storage/storagetest"
)

// TestComposeRuns builds the program as the Dockerfile does, from what .dockerignore lets through, and starts what
// docker-compose.yml describes: each command as it stands there, with the variables that stand there, as nobody, in a folder
// that holds nothing but what the image holds and in which only the volume and /tmp can be written. Host names and ports
// are mapped to those of this machine. The health checks are asked as they stand there too. The database is any PostgreSQL;
// the store is the gateway in the version of the compose file, started by its own command line.
func TestComposeRuns(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	begun := time.Now()
	defer func() { t.Logf("took %s", time.Since(begun)) }()
	image := s.buildImage()
	site := startWebsite(t, writeSite(t))
	s.bucket()
	store := s.startStore()
	s.awaitHealth("versitygw")
	s.awaitHealth("postgres")
	serve := s.start("serve", image)
	works := []*contained{s.start("work_1", image), s.start("work_2", image)}
	for _, c := range append(works, serve) {
		s.awaitHealth(c.service)
	}

	post := "http://blog.test:" + site.port + "/post.html"
	args := append([]string{"capture", "--detach", "--allow-private", "--delay", "0s"}, site.resolve("blog.test")...)
	out, err := s.exec("serve", append(append([]string{"/linkstead"}, args...), post)...)
	if err != nil {
		t.Fatalf("capture: %v\n%s", err, out)
	}
	s.awaitPage("replay.localhost", s.ports["serve 8081"], "/web/2026id_/"+post, "A post")
	s.awaitPage("replay.localhost", s.ports["serve 8081"], "/web/2026id_/"+strings.Replace(post, "post", "other", 1), "The other")
	s.awaitPage("replay.localhost", s.ports["serve 8081"], "/", "http://localhost:"+s.ports["serve 8080"])
	s.awaitPage("localhost", s.ports["serve 8080"], "/", "A post")

	store.stop()
	s.await("work_1 to tell that the store is away", func() error {
		if out, err := s.check("work_1"); err == nil {
			return fmt.Errorf("it is well: %s", out)
		}
		return nil
	})
	s.startStore()
	for _, c := range append(works, serve) {
		s.awaitHealth(c.service)
	}
	s.doctor()
	for _, c := range append(works, serve) {
		c.stop()
	}
	s.alone(image, post, args)
}

// doctor proves what the services stand on, from within one of them. All must be well, but for one thing: the tests' database
// does not flush to the disk.
func (s *stage) doctor() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	out, err := s.command(ctx, "serve", []string{"/linkstead", "doctor", "--big", "1MiB", "--json"}).Output()
	var d diagnosis
	if jerr := json.Unmarshal(out, &d); jerr != nil || len(d.Findings) < 15 {
		s.t.Fatalf("doctor: %v, %v\n%s", err, jerr, out)
	}
	for _, f := range d.Findings {
		if !f.OK && (f.Part != "rows" || f.Check != "durable" || !strings.Contains(f.Detail, "fsync off")) {
			s.t.Errorf("doctor: %+v", f)
		}
	}
}

// alone runs the image without docker-compose.yml: a capture into its volume, and then what it runs by default.
func (s *stage) alone(image, post string, capture []string) {
	s.t.Helper()
	s.rootOf("alone", image)
	capture = slices.DeleteFunc(slices.Clone(capture), func(a string) bool { return a == "--detach" })
	if out, err := s.exec("alone", append(append([]string{"/linkstead"}, capture...), post)...); err != nil {
		s.t.Fatalf("capture: %v\n%s", err, out)
	}
	entry, cmd := jsonList(s.t, one(s.t, s.image, "ENTRYPOINT")), jsonList(s.t, one(s.t, s.image, "CMD"))
	c := s.run("alone", s.command(context.WithoutCancel(s.t.Context()), "alone", append(entry, cmd...)))
	c.grace = span("10s") // what docker stop gives
	_, check, _ := strings.Cut(one(s.t, s.image, "HEALTHCHECK"), " CMD ")
	s.await("the image alone to be well", func() error {
		if said, err := s.exec("alone", jsonList(s.t, check)...); err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	})
	s.awaitPage("localhost", s.ports["alone 8080"], "/", "A post")
	s.awaitPage("replay.localhost", s.ports["alone 8081"], "/web/2026id_/"+post, "A post")
	c.stop()
}

// stage is where the services of docker-compose.yml are brought up.
type stage struct {
	t     *testing.T
	file  composeFile
	image []instruction
	ports map[string]string // of this machine, by service and port of its container
	roots map[string]string // of a service's file system
	meta  string            // folder of the store for the objects' metadata, where the file system holds none
	dsn   string
	uid   int // whom containers run as
}

// nobody is the user of linkstead's containers and of the store's.
const nobody = 65532

func newStage(t *testing.T) *stage {
	s := &stage{t: t, image: imageStage(t), ports: map[string]string{}, roots: map[string]string{}, uid: os.Getuid()}
	if s.uid == 0 {
		s.uid = nobody
	}
	for _, at := range []string{"serve 8080", "serve 8081", "work_1 8082", "work_2 8082", "versitygw 7070", "alone 8080", "alone 8081"} {
		s.ports[at] = freePort(t)
	}
	env := filledIn()
	env["PAGES_PORT"], env["REPLAY_PORT"] = s.ports["serve 8080"], s.ports["serve 8081"]
	s.file = compose(t, env)
	pg := storagetest.Postgres(t)
	s.dsn, s.ports["postgres 5432"] = pg.DSN(t), fmt.Sprint(pg.Port)
	store := openFolder(t)
	s.roots["versitygw"] = store
	if err := os.Mkdir(filepath.Join(store, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if syscall.Setxattr(filepath.Join(store, "data"), "user.linkstead", []byte("x"), 0) != nil {
		s.meta = filepath.Join(store, "meta")
		if err := os.Mkdir(s.meta, 0o755); err != nil {
			t.Fatal(err)
		}
		s.give(s.meta)
	}
	if said, err := exec.CommandContext(t.Context(), "install", "-m", "755", storagetest.Gateway(t), filepath.Join(store, "versitygw")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return s
}

// openFolder is a temporary folder that anybody may enter, which those of the testing package are not.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "linkstead-compose-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// give makes a folder that of the containers' user.
func (s *stage) give(dir string) {
	s.t.Helper()
	if err := os.Chown(dir, s.uid, -1); err != nil {
		s.t.Fatal(err)
	}
}

// confine runs a process as an engine would run a container: in a root and as a user of its own. This takes root; where
// somebody else runs the tests, the process runs as they do.
func (s *stage) confine(cmd *exec.Cmd, root string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Chroot = root
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}
	}
}

// buildImage runs what the Dockerfile runs, and gives the folder that becomes the image's root.
func (s *stage) buildImage() string {
	s.t.Helper()
	const version = "v0.0.0-of-the-test"
	out, src := openFolder(s.t), buildContext(s.t)
	lines := all(dockerfile(s.t)[0], "RUN")
	ran := 0
	for _, line := range lines {
		if line == "go mod download" { // this machine has them, and needs no network for them
			continue
		}
		for _, dir := range []string{"/out", "/state"} {
			line = strings.ReplaceAll(line, dir+"/", out+dir+"/")
		}
		cmd := exec.CommandContext(s.t.Context(), "sh", "-ec", line)
		cmd.Dir, cmd.Env = src, append(os.Environ(), "VERSION="+version, "GOFLAGS=-mod=readonly")
		if said, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("Dockerfile: RUN %s: %v\n%s", line, err, said)
		}
		ran++
	}
	if ran != 2 {
		s.t.Fatalf("%d instructions ran, of %q", ran, lines)
	}
	info, err := buildinfo.ReadFile(filepath.Join(out, "out", "linkstead"))
	if err != nil {
		s.t.Fatal(err)
	}
	built := map[string]string{}
	for _, b := range info.Settings {
		built[b.Key] = b.Value
	}
	if built["CGO_ENABLED"] != "0" || built["-trimpath"] != "true" || built["-tags"] != "timetzdata" {
		s.t.Errorf("built with %v", built)
	}
	said, err := exec.CommandContext(s.t.Context(), filepath.Join(out, "out", "linkstead"), "--version").CombinedOutput()
	if err != nil || strings.TrimSpace(string(said)) != "linkstead "+version {
		s.t.Errorf("the program says %q: %v", said, err)
	}
	return out
}

// rootOf makes the file system of a service's container: the image's files, and its volume.
func (s *stage) rootOf(service, image string) string {
	s.t.Helper()
	root := openFolder(s.t)
	for _, from := range []string{"out", "state"} { // COPY --from=build, as TestImageIsTheProgramAlone holds it
		to := root
		if from == "state" {
			to = filepath.Join(root, "var", "lib")
			if err := os.MkdirAll(to, 0o755); err != nil {
				s.t.Fatal(err)
			}
		}
		if said, err := exec.CommandContext(s.t.Context(), "cp", "-a", filepath.Join(image, from)+"/.", to).CombinedOutput(); err != nil {
			s.t.Fatalf("%v\n%s", err, said)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.give(filepath.Join(root, one(s.t, s.image, "VOLUME")))
	s.roots[service] = root
	return root
}

// here maps what stands in the compose file to this machine.
func (s *stage) here(service, text string) string {
	for at, port := range s.ports {
		of, inside, _ := strings.Cut(at, " ")
		text = strings.ReplaceAll(text, "http://"+of+":"+inside, "http://127.0.0.1:"+port)
		if of == service {
			for _, host := range []string{"0.0.0.0:", "127.0.0.1:"} {
				text = strings.ReplaceAll(text, host+inside, "127.0.0.1:"+port)
			}
			text = strings.ReplaceAll(text, "--port="+inside, "--port="+port)
		}
	}
	if root := s.roots[service]; root != "" && os.Getuid() != 0 {
		text = strings.ReplaceAll(text, "/var/lib/linkstead", filepath.Join(root, "var", "lib", "linkstead"))
	}
	return text
}

func (s *stage) environ(service string) (env []string) {
	all := map[string]string{"HOME": "/var/lib/linkstead"}
	maps.Copy(all, keyValues(one(s.t, s.image, "ENV")))
	maps.Copy(all, s.file.Services[service].Environment)
	if _, ok := all["LINKSTEAD_DB"]; ok {
		all["LINKSTEAD_DB"] = s.dsn
	}
	for k, v := range all {
		env = append(env, k+"="+s.here(service, v))
	}
	return env
}

// command is a command of a container of this program.
func (s *stage) command(ctx context.Context, service string, args []string) *exec.Cmd {
	root := s.roots[service]
	for i, a := range args {
		args[i] = s.here(service, a)
	}
	program, dir := args[0], one(s.t, s.image, "WORKDIR")
	if os.Getuid() != 0 {
		program, dir = filepath.Join(root, program), filepath.Join(root, dir)
	}
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Dir, cmd.Env = dir, s.environ(service)
	s.confine(cmd, root)
	return cmd
}

// exec is docker compose exec.
func (s *stage) exec(service string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	said, err := s.command(ctx, service, append([]string(nil), args...)).CombinedOutput()
	return string(said), err
}

// contained is a service that runs.
type contained struct {
	t       *testing.T
	service string
	grace   time.Duration
	cmd     *exec.Cmd
	said    bytes.Buffer
	ended   chan error
	stopped bool
}

func (s *stage) start(service, image string) *contained {
	s.t.Helper()
	s.rootOf(service, image)
	args := append(jsonList(s.t, one(s.t, s.image, "ENTRYPOINT")), s.file.Services[service].Command...)
	return s.run(service, s.command(context.WithoutCancel(s.t.Context()), service, args))
}

func (s *stage) run(service string, cmd *exec.Cmd) *contained {
	s.t.Helper()
	c := &contained{t: s.t, service: service, grace: span(s.file.Services[service].StopGracePeriod), cmd: cmd, ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &c.said, &c.said
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v", service, err)
	}
	go func() { c.ended <- cmd.Wait() }()
	s.t.Cleanup(c.stop)
	return c
}

// stop is docker compose stop: a signal, and time.
func (c *contained) stop() {
	c.t.Helper()
	if c.stopped {
		return
	}
	c.stopped = true
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.t.Error(err)
	}
	select {
	case err := <-c.ended:
		var exit *exec.ExitError
		// The gateway does not catch the signal in every state; what is ours must.
		if err != nil && (c.service != "versitygw" || !errors.As(err, &exit) || exit.ExitCode() != -1) {
			c.t.Errorf("%s ended with %v\n%s", c.service, err, c.said.String())
		}
	case <-time.After(c.grace):
		c.t.Errorf("%s did not stop within %s", c.service, c.grace)
		if err := c.cmd.Process.Kill(); err != nil {
			c.t.Error(err)
		}
		<-c.ended
	}
	if c.t.Failed() {
		c.t.Logf("%s said:\n%s", c.service, c.said.String())
	}
}

// bucket runs the service that makes the bucket, as often as it may run, on the folder that the store gets.
func (s *stage) bucket() {
	s.t.Helper()
	b, store := s.file.Services["bucket"], s.file.Services["versitygw"]
	if len(b.Command) != 1 || b.Volumes[0] != store.Volumes[0] {
		s.t.Fatalf("%q on %v, the store is on %v", b.Command, b.Volumes, store.Volumes)
	}
	owner := fmt.Sprintf("%d:%d", nobody, nobody)
	if store.User != owner {
		s.t.Errorf("the store runs as %s", store.User)
	}
	script := strings.ReplaceAll(b.Command[0], "/data", filepath.Join(s.roots["versitygw"], "data"))
	if os.Getuid() != 0 {
		script = strings.ReplaceAll(script, owner, fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()))
	}
	for range 2 {
		cmd := exec.CommandContext(s.t.Context(), b.Entrypoint[0], append(b.Entrypoint[1:], script)...)
		if said, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("bucket: %v\n%s", err, said)
		}
	}
}

// startStore starts the store by its command line.
func (s *stage) startStore() *contained {
	s.t.Helper()
	v := s.file.Services["versitygw"]
	if _, tag, _ := strings.Cut(v.Image, ":"); !strings.Contains(readTop(s.t, ".ci/deps"), "version="+tag+"\n") {
		s.t.Errorf("%s is not the version that the tests know", v.Image)
	}
	root := s.roots["versitygw"]
	args := append([]string(nil), v.Command...)
	args[slices.Index(args, "--port")+1] = "127.0.0.1:" + s.ports["versitygw 7070"]
	args[slices.Index(args, "/data")] = filepath.Join(root, "data")
	if s.meta != "" {
		args = slices.Insert(args, len(args)-1, "--sidecar", s.meta)
	}
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), filepath.Join(root, "versitygw"), args...)
	cmd.Dir = root
	for k, v := range v.Environment {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	s.confine(cmd, "") // without a root of its own: it publishes objects through /proc
	return s.run("versitygw", cmd)
}

// check asks the health check of a service, as its container would.
func (s *stage) check(service string) (string, error) {
	test := s.file.Services[service].Healthcheck.Test[1:]
	if s.file.Services[service].ours() {
		return s.exec(service, test...)
	}
	args := make([]string, len(test))
	for i, a := range test {
		args[i] = s.here(service, a)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), span(s.file.Services[service].Healthcheck.Timeout))
	defer cancel()
	said, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	return string(said), err
}

func (s *stage) awaitHealth(service string) {
	s.t.Helper()
	s.await(service+" to be well", func() error {
		if said, err := s.check(service); err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	})
}

// await tries for up to a minute.
func (s *stage) await(what string, try func() error) {
	s.t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if err = try(); err == nil {
			return
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal(s.t.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.t.Fatalf("waited for %s: %v", what, err)
}

// awaitPage waits until a browser finds a text.
func (s *stage) awaitPage(host, port, path, text string) {
	s.t.Helper()
	s.await(host+path, func() error {
		ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+path, nil)
		if err != nil {
			return err
		}
		req.Host, req.Close = net.JoinHostPort(host, port), true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), text) {
			return fmt.Errorf("%d: %.2000s", resp.StatusCode, body)
		}
		return nil
	})
}

// writeSite is a post and what it links to.
func writeSite(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"post.html":  `<html><head><title>A post</title></head><body><article><p>See <a href="other.html">the other</a>.</p></article></body></html>`,
		"other.html": `<html><head><title>The other</title></head><body>The other</body></html>`,
	} {
		name = filepath.Join(dir, "blog.test", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
