// Package cdx is what the archive knows of capture indexes as others ask for them and write them: the queries of two kinds of
// CDX servers, what they select of an index, and the lines in which rows travel, CDXJ above all. It holds no index: rows are
// handed to it one after the other, and it keeps no more of them than an answer needs at once.
//
// # Two dialects
//
// [Pywb] is the CDX server API of pywb: one JSON object or CDXJ line a row, filters that look for a part of a field unless they
// say otherwise. [Wayback] is that of the Internet Archive's wayback-cdx-server: other names for the same fields, one JSON array
// of arrays, regular expressions that match the whole field, collapsing, resume keys. [Parse] reads a query of either;
// an [Answer] makes of the rows of its span what the client gets.
//
// # Lines
//
// A [Row] is one capture. [AppendCDXJ] writes it as a CDXJ line and [ReadCDXJ] reads such lines, those of other tools too;
// [AppendCDX] writes the 7 and 11 fields of CDX files. Digests are written as WARC writes them, with their algorithm.
package cdx
