package httpapi

import (
	"math"
	"strconv"
	"strings"
)

// impossible is a version that no entity has: asking for it makes the entity refuse, after it has looked whether it
// knows the command already.
const impossible = math.MaxUint64

// precondition is a parsed If-Match.
type precondition struct {
	given    bool
	any      bool     // "*"
	versions []uint64 // strong tags that can be one of ours
}

// parseIfMatch reads If-Match. Weak tags never match (RFC 9110, 13.1.1), nor do tags that are not ours.
func parseIfMatch(headers [][]byte) (precondition, error) {
	var p precondition
	for _, header := range headers {
		tags, ok := splitTags(string(header))
		if !ok {
			return p, badRequest("if_match", `If-Match must be * or a list of quoted entity tags, such as "3"`)
		}
		p.given = true
		for _, tag := range tags {
			if tag == "*" {
				p.any = true
				continue
			}
			text, ok := strings.CutPrefix(tag, `"`)
			if !ok {
				continue // weak
			}
			version, err := strconv.ParseUint(strings.TrimSuffix(text, `"`), 10, 64)
			if err == nil && version > 0 && version < impossible && entityTag(version) == tag {
				p.versions = append(p.versions, version)
			}
		}
	}
	return p, nil
}

// splitTags splits a list of entity tags; ok is false when it is none.
func splitTags(list string) (tags []string, ok bool) {
	for rest := strings.TrimSpace(list); ; {
		end := 1
		if !strings.HasPrefix(rest, "*") {
			open := strings.TrimPrefix(rest, "W/")
			if len(open) < 2 || open[0] != '"' {
				return nil, false
			}
			closing := strings.IndexByte(open[1:], '"')
			if closing < 0 {
				return nil, false
			}
			end = len(rest) - len(open) + closing + 2
		}
		tags = append(tags, rest[:end])
		rest = strings.TrimLeft(rest[end:], " \t")
		if rest == "" {
			return tags, true
		}
		if rest[0] != ',' || len(tags) > 64 {
			return nil, false
		}
		rest = strings.TrimLeft(rest[1:], " \t")
	}
}

// expected returns the version to ask for, 0: any. Where several are welcome, current says which one it is now.
func (p precondition) expected(current func() (uint64, error)) (uint64, error) {
	switch {
	case !p.given || p.any:
		return 0, nil
	case len(p.versions) == 0:
		return impossible, nil
	case len(p.versions) == 1:
		return p.versions[0], nil
	}
	now, err := current()
	if err != nil {
		return 0, err
	}
	for _, version := range p.versions {
		if version == now {
			return version, nil
		}
	}
	return impossible, nil
}

// noneMatches says whether If-None-Match holds the tag, compared weakly: the client has this version already.
func noneMatches(headers [][]byte, tag string) bool {
	for _, header := range headers {
		tags, ok := splitTags(string(header))
		if !ok {
			continue
		}
		for _, t := range tags {
			if t == "*" || strings.TrimPrefix(t, "W/") == tag {
				return true
			}
		}
	}
	return false
}
