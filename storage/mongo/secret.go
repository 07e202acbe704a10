package mongo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
)

const secretSize = 32

type secretDocument struct {
	ID     string `bson:"_id"`
	Secret []byte `bson:"secret"`
}

// Secret returns the secret of that name; of several members that make it at once, one wins and all return its.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	secret, err := s.findSecret(ctx, name)
	if err == nil || !errors.Is(err, driver.ErrNoDocuments) {
		return secret, err
	}
	fresh := make([]byte, secretSize)
	rand.Read(fresh)
	_, err = s.secrets.InsertOne(ctx, secretDocument{ID: name, Secret: fresh})
	if err != nil && !driver.IsDuplicateKeyError(err) {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	return s.findSecret(ctx, name)
}

func (s *Store) findSecret(ctx context.Context, name string) ([]byte, error) {
	var found secretDocument
	if err := s.secrets.FindOne(ctx, bson.D{{Key: keyID, Value: name}}).Decode(&found); err != nil {
		return nil, fmt.Errorf("find secret %s: %w", name, err)
	}
	return found.Secret, nil
}
