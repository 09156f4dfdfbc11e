package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

// serverInfo asks one server about itself.
func serverInfo(ctx context.Context, node rueidis.Client, sections ...string) (map[string]string, error) {
	text, err := node.Do(ctx, node.B().Info().Section(sections...).Build()).ToString()
	if err != nil {
		return nil, err
	}
	return infoFields(text), nil
}

// infoFields reads lines of name:value. The answer of CLUSTER INFO begins with
// its type.
func infoFields(text string) map[string]string {
	fields := map[string]string{}
	text = strings.TrimPrefix(text, "txt:")
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// replicas is how many replicas of a primary are in step.
func replicas(info map[string]string) (n int) {
	for i := 0; ; i++ {
		replica, ok := info["slave"+strconv.Itoa(i)]
		if !ok {
			return n
		}
		if strings.Contains(replica, "state=online") {
			n++
		}
	}
}

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first)
	return n
}

func isNoPermission(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && isCode(e, "NOPERM")
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrUnsupported, fmt.Sprintf(format, args...))
}
