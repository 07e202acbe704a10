// Package messages is the protobuf contract between members: commands, replies and nothing else. Generated code is
// committed, so building needs no compiler; go generate needs protoc and protoc-gen-go.
package messages

//go:generate protoc --go_out=. --go_opt=paths=source_relative commerce.proto
