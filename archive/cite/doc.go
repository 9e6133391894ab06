// Package cite makes citation records: what a page says of itself, the formats that reference managers and encyclopaedias read,
// and the short identifiers by which a copy is named in print. It is pure: pages, captures and verdicts are handed to it, and
// every word of a captured page is hostile. It never looks at a clock, a file or the net.
//
// docs/citing.md tells what stands in which field.
package cite
