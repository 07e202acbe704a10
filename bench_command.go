package main

import (
	"fmt"
	"os"
	"time"

	"github.com/queuecommerce/queuecommerce/bench"
)

type benchCommand struct {
	URL      []string      `default:"http://127.0.0.1:3000" help:"The shop to put load on; several members of one, separated by commas."`
	Clients  int           `default:"32" help:"Buyers at one time."`
	Duration time.Duration `default:"10s" help:"How long."`
	Products int           `default:"1000" help:"Different products; 1 is a hot one."`
	Lines    int           `default:"1" help:"Lines per order."`
	Rate     int           `default:"0" help:"Orders per second of all buyers together; 0: as fast as they are answered."`
	Wait     bool          `help:"Each buyer waits until its order is confirmed."`
	Chart    time.Duration `default:"0" placeholder:"STEP" help:"Print how it went, a line for each step of time."`
}

// Run puts load on a shop that is running, and prints what its buyers saw.
func (c benchCommand) Run(r *run) error {
	result, err := bench.Run(r.ctx, bench.Load{URLs: c.URL, Clients: c.Clients, Duration: c.Duration, Products: c.Products, Lines: c.Lines, Rate: c.Rate, Wait: c.Wait})
	if err != nil {
		return err
	}
	if c.Chart > 0 {
		if err := result.Chart(os.Stdout, c.Chart); err != nil {
			return err
		}
	}
	if len(c.URL) > 1 {
		fmt.Printf("longest that a buyer was without an order: %.0f ms; tries that another member made good: %d\n",
			float64(result.Longest.Microseconds())/1000, result.Retried)
	}
	_, err = fmt.Println(result)
	return err
}
