// Gin: a counter and a login in a program that routes with Gin.
//
//	cd examples/frameworks
//	go run ./gin
//	curl -c jar -b jar -d user=ada 127.0.0.1:8080/login
//	curl -c jar -b jar 127.0.0.1:8080
package main

import (
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

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
	r := gin.Default()
	r.GET("/", home)
	r.POST("/login", login)
	r.POST("/logout", logout)
	return sessions.Handler(r), nil // around the whole engine; serve this instead of r.Run
}

// The session is in c.Request.Context(); in c itself only if r.ContextWithFallback is set.

func home(c *gin.Context) {
	s, err := sojourn.From(c.Request.Context())
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	n, err := visits.Add(c.Request.Context(), 1)
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	user, err := s.Owner(c.Request.Context())
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.String(http.StatusOK, "user %q, visit %d\n", user, n)
}

func login(c *gin.Context) {
	s, err := sojourn.From(c.Request.Context())
	if err == nil {
		err = s.Login(c.Request.Context(), c.PostForm("user")) // your own check of a password comes before
	}
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
	}
}

func logout(c *gin.Context) {
	s, err := sojourn.From(c.Request.Context())
	if err == nil {
		err = s.Logout(c.Request.Context())
	}
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
	}
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
