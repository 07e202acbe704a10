package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/queuecommerce/queuecommerce/bench"
)

type benchCommand struct {
	URL      []string      `default:"http://127.0.0.1:3000" help:"The shop to put load on; several members of one, separated by commas."`
	Clients  int           `default:"32" help:"Buyers at one time; with a rate more come when these wait."`
	Duration time.Duration `default:"10s" help:"How long."`
	Orders   int           `default:"0" help:"End after so many orders instead."`
	Products int           `default:"1000" help:"Different products; 1 is a hot one."`
	Lines    int           `default:"1" help:"Lines per order."`
	Rate     int           `default:"0" help:"Orders, or reads, per second of all together; 0: as fast as they are answered."`
	Wait     bool          `help:"Each buyer waits until its order is confirmed."`
	Read     string        `placeholder:"WHAT" help:"Read instead of buying: orders or products by id, list (pages of orders, deeper and deeper), search, or a path."`
	Chart    time.Duration `default:"0" placeholder:"STEP" help:"Print how it went, a line for each step of time."`
	JSON     bool          `name:"json" help:"Print the figures as JSON."`
}

// Run puts load on a shop that is running, and prints what its buyers saw.
func (c benchCommand) Run(r *run) error {
	if c.Read != "" {
		result, err := bench.Read{URL: c.URL[0], What: c.Read, Products: c.Products, Clients: c.Clients, Duration: c.Duration, Rate: c.Rate}.Run(r.ctx)
		if err != nil {
			return err
		}
		return c.print(result)
	}
	result, err := bench.Run(r.ctx, bench.Load{URLs: c.URL, Clients: c.Clients, Duration: c.Duration, Orders: c.Orders,
		Products: c.Products, Lines: c.Lines, Rate: c.Rate, Wait: c.Wait})
	if err != nil {
		return err
	}
	if c.Chart > 0 && !c.JSON {
		if err := result.Chart(os.Stdout, c.Chart); err != nil {
			return err
		}
	}
	if len(c.URL) > 1 && !c.JSON {
		fmt.Printf("longest that a buyer was without an order: %.0f ms; tries that another member made good: %d\n",
			float64(result.Longest.Microseconds())/1000, result.Retried)
	}
	return c.print(result)
}

func (c benchCommand) print(result fmt.Stringer) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	_, err := fmt.Println(result)
	return err
}
