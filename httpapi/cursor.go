package httpapi

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

const sealSize = 8

// seal makes an opaque cursor for one list out of a place in it. It can't be made up, nor used for another list.
func (s *Server) seal(list string, place []byte) string {
	sum := s.mac("cursor", list, string(place))
	return base64.RawURLEncoding.EncodeToString(append(sum[:sealSize:sealSize], place...))
}

// unseal returns the place that a cursor of that list stands for.
func (s *Server) unseal(list, cursor string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < sealSize {
		return nil, badCursor()
	}
	place := raw[sealSize:]
	sum := s.mac("cursor", list, string(place))
	if subtle.ConstantTimeCompare(sum[:sealSize], raw[:sealSize]) != 1 {
		return nil, badCursor()
	}
	return place, nil
}

func badCursor() *Problem { return invalid("cursor must be one that this list has given") }

// sealPosition makes a cursor for a read model: the place behind a document, and the number of the page that begins
// there.
func (s *Server) sealPosition(list storage.Collection, p storage.Position, page int) string {
	place := binary.BigEndian.AppendUint64(nil, uint64(p.Created.UnixMilli()))
	place = binary.BigEndian.AppendUint32(place, uint32(page))
	return s.seal(string(list), append(place, p.ID...))
}

func (s *Server) unsealPosition(list storage.Collection, cursor string) (p storage.Position, page int, err error) {
	place, err := s.unseal(string(list), cursor)
	if err != nil {
		return p, 0, err
	}
	if len(place) < 12 {
		return p, 0, badCursor()
	}
	p.Created = time.UnixMilli(int64(binary.BigEndian.Uint64(place))).UTC()
	p.ID = string(place[12:])
	return p, int(binary.BigEndian.Uint32(place[8:])), nil
}

// sealSequence makes a cursor for a stream.
func (s *Server) sealSequence(stream storage.Stream, sequence uint64) string {
	return s.seal(string(stream), binary.BigEndian.AppendUint64(nil, sequence))
}

func (s *Server) unsealSequence(stream storage.Stream, cursor string) (uint64, error) {
	place, err := s.unseal(string(stream), cursor)
	if err != nil {
		return 0, err
	}
	if len(place) != 8 {
		return 0, badCursor()
	}
	return binary.BigEndian.Uint64(place), nil
}
