package memcachestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// statistics asks one server for its figures, by the command stats with each of
// the arguments, which the client library does not know.
func (s *Store) statistics(ctx context.Context, server string, arguments ...string) (answers []map[string]string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	conn, err := s.opt.Dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	lines := bufio.NewScanner(conn)
	for _, argument := range arguments {
		if _, err := fmt.Fprintf(conn, "stats%s\r\n", argument); err != nil {
			return nil, err
		}
		answer, err := readStats(lines)
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// readStats reads lines "STAT name value" until END. It takes at most a thousand:
// the other side may be anything.
func readStats(lines *bufio.Scanner) (map[string]string, error) {
	answer := map[string]string{}
	for range 1000 {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return nil, err
			}
			return nil, errors.New("it ended the connection")
		}
		line := lines.Text()
		if line == "END" {
			return answer, nil
		}
		word, rest, _ := strings.Cut(line, " ")
		if word != "STAT" {
			return nil, fmt.Errorf("it does not know the command stats: it answered %.40q", line)
		}
		name, value, _ := strings.Cut(rest, " ")
		answer[name] = value
	}
	return nil, errors.New("its answer to the command stats has no end")
}
