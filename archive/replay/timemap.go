package replay

// The formats of TimeMaps, and their types.
const (
	formatLink = "link"
	formatJSON = "json"
	formatCDXJ = "cdxj"
	typeLink   = "application/link-format"
)
