package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// newMongoShop is QueueCommerce on a MongoDB that is running somewhere. What MongoDB itself uses is not counted.
func newMongoShop(program, dir, uri string) *system {
	runs := 0
	return &system{name: "queuecommerce on MongoDB", start: func(ctx context.Context) (server, error) {
		runs++
		prefix := fmt.Sprintf("bench%x_%d", time.Now().Unix(), runs)
		data, err := os.MkdirTemp(dir, "shop-*")
		if err != nil {
			return nil, err
		}
		return openShop(ctx, program, data, []string{"MONGODB_URI=" + uri, "MONGODB_PREFIX=" + prefix}, func() error {
			return errors.Join(os.RemoveAll(data), drop(uri, prefix))
		})
	}}
}

// drop removes the databases of one run.
func drop(uri, prefix string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Disconnect(ctx)) }()
	for _, name := range []string{"_orders", "_inventory", "_payments"} {
		err = errors.Join(err, client.Database(prefix+name).Drop(ctx))
	}
	return err
}
