// Echo: a counter and a login in a program that routes with Echo.
//
//	cd examples/frameworks
//	go run ./echo
//	curl -c jar -b jar -d user=ada 127.0.0.1:8080/login
//	curl -c jar -b jar 127.0.0.1:8080
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

const visits = sojourn.Counter("visits")

func handler() (http.Handler, error) {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
	})
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.GET("/", home)
	e.POST("/login", login)
	e.POST("/logout", logout)
	return sessions.Handler(e), nil // around the whole of Echo, its error handler too; serve this instead of e.Start
}

// The session is in c.Request().Context().

func home(c *echo.Context) error {
	ctx := c.Request().Context()
	s, err := sojourn.From(ctx)
	if err != nil {
		return err
	}
	n, err := visits.Add(ctx, 1)
	if err != nil {
		return err
	}
	user, err := s.Owner(ctx)
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, fmt.Sprintf("user %q, visit %d\n", user, n))
}

func login(c *echo.Context) error {
	s, err := sojourn.From(c.Request().Context())
	if err != nil {
		return err
	}
	// Your own check of a password comes before.
	if err := s.Login(c.Request().Context(), c.FormValue("user")); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

func logout(c *echo.Context) error {
	s, err := sojourn.From(c.Request().Context())
	if err != nil {
		return err
	}
	if err := s.Logout(c.Request().Context()); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
