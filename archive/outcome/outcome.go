// Package outcome is the one list of ways in which a task can end. WARC metadata records, rows, JSON documents and
// pages all use these words and no others. It never judges a link's life: that takes many outcomes over time.
package outcome

// Version is the version of the list. It grows with every change of meaning; adding a word is such a change.
const Version = 2

// Outcome is one way in which a task ended. The zero value means that the task has not ended.
type Outcome string

// The outcomes. Captured says that a complete response was kept, whatever its status; the next three are captures that
// lack their end; all others are failures that left no response.
const (
	Pending  Outcome = ""
	Captured Outcome = "captured"

	CutShort Outcome = "cut-short" // the peer closed or broke off after the headers
	TooLong  Outcome = "too-long"  // our limit of bytes cut it
	TooSlow  Outcome = "too-slow"  // our limit of seconds cut it, after the headers

	DNS         Outcome = "dns"         // the name does not resolve
	Refused     Outcome = "refused"     // nobody listens there
	Unreachable Outcome = "unreachable" // no route to the address
	Reset       Outcome = "reset"       // the peer reset the connection before the headers ended
	Timeout     Outcome = "timeout"     // no connection, or no complete headers, in time
	TLS         Outcome = "tls"         // the handshake failed
	Protocol    Outcome = "protocol"    // what came back is not HTTP
	Empty       Outcome = "empty"       // the peer closed without a word

	Private     Outcome = "private"       // the address is private, and private addresses are refused
	Robots      Outcome = "robots"        // robots.txt forbids it
	RobotsError Outcome = "robots-error"  // robots.txt could not be read, so nothing may be asked
	Excluded    Outcome = "excluded"      // --exclude or the scope rules it out
	Redirects   Outcome = "redirects"     // more redirects in a row than the limit
	Loop        Outcome = "redirect-loop" // the redirects come back to themselves
	Quota       Outcome = "quota"         // a budget of the run was used up before it was asked for
	BadURL      Outcome = "bad-url"       // not an address that can be asked
)

// A Description explains an outcome to a person.
type Description struct {
	Outcome Outcome
	Kept    bool   // a response was kept (a capture row exists)
	Retry   bool   // may pass by itself: tried again within the run
	Ours    bool   // tells of our rules, not of the source: nobody may call the source dead for it
	Short   string // a few words for a table
	Meaning string // one sentence
}

var list = []Description{
	{Captured, true, false, false, "captured", "A complete response was kept; its status tells what the server said."},
	{CutShort, true, true, false, "cut short", "The server broke off before the response was complete; what came is kept."},
	{TooLong, true, false, false, "too long", "The response was longer than the limit; the part up to the limit is kept."},
	{TooSlow, true, false, false, "too slow", "The response took longer than the limit; what came in time is kept."},
	{DNS, false, false, false, "no such host", "The host name does not resolve to an address."},
	{Refused, false, true, false, "refused", "The host refused the connection: nothing listens on that port."},
	{Unreachable, false, true, false, "unreachable", "There is no route to the host's address."},
	{Reset, false, true, false, "reset", "The connection was reset before the response's headers were complete."},
	{Timeout, false, true, false, "timed out", "The host did not connect, or did not complete its headers, in time."},
	{TLS, false, false, false, "TLS fault", "The secure connection could not be made."},
	{Protocol, false, false, false, "not HTTP", "What the server sent is not an HTTP response; the bytes are kept as evidence."},
	{Empty, false, true, false, "empty reply", "The server closed the connection without a reply."},
	{Private, false, false, true, "private address", "The name leads to a private address, which is refused unless allowed."},
	{Robots, false, false, true, "robots.txt", "The site's robots.txt asks not to fetch this address."},
	{RobotsError, false, false, true, "no robots.txt", "The site's robots.txt could not be read, so nothing else was asked of it."},
	{Excluded, false, false, true, "excluded", "The run's own rules leave this address out."},
	{Quota, false, false, true, "over budget", "A budget of the run was used up before this address was asked for."},
	{Redirects, false, false, false, "too many redirects", "More redirects in a row than the limit."},
	{Loop, false, false, false, "redirect loop", "The redirects lead back to where they came from."},
	{BadURL, false, false, true, "bad address", "The address can't be asked: its form or scheme is not supported."},
}

// All lists every outcome with its explanation, in the documented order.
func All() []Description { return append([]Description(nil), list...) }

// Describe explains o. An unknown word is described as itself.
func (o Outcome) Describe() Description {
	for _, d := range list {
		if d.Outcome == o {
			return d
		}
	}
	if o == Pending {
		return Description{Outcome: o, Short: "pending", Meaning: "It has not been tried yet."}
	}
	return Description{Outcome: o, Short: string(o), Meaning: string(o)}
}

// Kept says whether a response was kept.
func (o Outcome) Kept() bool { return o.Describe().Kept }

// Ours says whether the outcome tells of our own rules and limits, and nothing of the source.
func (o Outcome) Ours() bool { return o.Describe().Ours }

// Retry says whether the failure may pass by itself.
func (o Outcome) Retry() bool { return o.Describe().Retry }
