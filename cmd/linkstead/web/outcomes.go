package web

import (
	"net/http"

	"linkstead/archive/outcome"
)

type outcomesView struct {
	Version int
	List    []outcome.Description
}

// outcomes documents the list of outcomes.
func (p *Pages) outcomes(*http.Request) (*answer, error) {
	v := outcomesView{outcome.Version, outcome.All()}
	return &answer{status: http.StatusOK, page: "outcomes", title: "Outcomes", body: v}, nil
}
