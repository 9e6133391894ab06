package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"linkstead/archive/report"
)

const jsonType = "application/json; charset=utf-8"

// asJSON is the document that "linkstead capture --json" prints, byte for byte.
func asJSON(r *report.Report) (*answer, error) {
	raw, err := encode(r)
	return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // nosniff and the media type keep it from being read as a page
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}
