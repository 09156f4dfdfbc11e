package main

import (
	"testing"

	"github.com/sojournhq/sojourn/examples/frameworks/internal/visit"
)

func TestVisit(t *testing.T) {
	h, err := handler()
	if err != nil {
		t.Fatal(err)
	}
	visit.Test(t, h)
}
