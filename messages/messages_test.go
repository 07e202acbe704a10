package messages_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/queuecommerce/queuecommerce/messages"
)

var update = flag.Bool("update", false, "write golden files for messages that have none")

// fill sets every field to a value that its number decides, so that a field that moved or changed its type shows.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.ContainingOneof() != nil && !f.ContainingOneof().IsSynthetic() {
			continue // each alternative has its own golden file
		}
		switch {
		case f.IsList():
			list := m.Mutable(f).List()
			if f.Kind() == protoreflect.MessageKind {
				fill(list.AppendMutable().Message(), depth+1)
			} else {
				list.Append(scalar(f))
			}
		case f.Kind() == protoreflect.MessageKind:
			fill(m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, scalar(f))
		}
	}
}

func scalar(f protoreflect.FieldDescriptor) protoreflect.Value {
	n := int64(f.Number()) * 1000
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(f.Name()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(f.Name()))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(n) / 8)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(n)
	}
	panic(fmt.Sprintf("a field of kind %s has no sample yet", f.Kind()))
}

// samples is the envelope once with each of its alternatives.
func samples(t *testing.T, envelope func() proto.Message) map[string]proto.Message {
	t.Helper()
	all := make(map[string]proto.Message)
	alternatives := envelope().ProtoReflect().Descriptor().Oneofs().Get(0).Fields()
	for i := range alternatives.Len() {
		m := envelope()
		fill(m.ProtoReflect(), 0)
		f := alternatives.Get(i)
		fill(m.ProtoReflect().Mutable(f).Message(), 1)
		all[fmt.Sprintf("%s.%s", m.ProtoReflect().Descriptor().Name(), f.Name())] = m
	}
	return all
}

// TestMembersOfTwoVersionsUnderstandEachOther holds the encoding of every message to what members that are running now
// send and expect. A golden file that does not fit any more means that a rolling upgrade would break.
func TestMembersOfTwoVersionsUnderstandEachOther(t *testing.T) {
	for _, envelope := range []func() proto.Message{
		func() proto.Message { return &messages.Command{} },
		func() proto.Message { return &messages.Reply{} },
	} {
		for name, m := range samples(t, envelope) {
			t.Run(name, func(t *testing.T) {
				path := filepath.Join("testdata", name+".hex")
				now, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
				require.NoError(t, err)
				golden, err := os.ReadFile(path)
				if os.IsNotExist(err) && *update {
					require.NoError(t, os.WriteFile(path, []byte(hex.EncodeToString(now)+"\n"), 0o644))
					return
				}
				require.NoError(t, err, "run with -update to write the golden file of a new message")
				require.Equal(t, string(golden), hex.EncodeToString(now)+"\n")
				back := envelope()
				require.NoError(t, proto.Unmarshal(now, back))
				require.True(t, proto.Equal(m, back))
				require.Empty(t, back.ProtoReflect().GetUnknown())
			})
		}
	}
}

func TestAFieldOfANewerMemberIsIgnored(t *testing.T) {
	known, err := proto.Marshal(&messages.Command{Id: "1"})
	require.NoError(t, err)
	newer := append(known, 0xf8, 0x3f, 0x01) // field 1023, a number
	var m messages.Command
	require.NoError(t, proto.Unmarshal(newer, &m))
	require.Equal(t, "1", m.GetId())
}
