module github.com/sojournhq/sojourn

go 1.25.0
