package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/queuecommerce/queuecommerce/actors/order"
)

// Config is everything that can be configured, by environment variables. deploy/queuecommerce.env explains each with
// its default; a test loads it. This is the only file that reads the environment.
type Config struct {
	HTTPAddr string `env:"HTTP_ADDR" envDefault:"127.0.0.1:3000"`
	DataDir  string `env:"DATA_DIR" envDefault:"./data"`

	JournalArchiveAfter time.Duration `env:"JOURNAL_ARCHIVE_AFTER" envDefault:"168h"`

	MongoURI    string `env:"MONGODB_URI"`
	MongoPrefix string `env:"MONGODB_PREFIX" envDefault:"queuecommerce"`

	AMQPURL      string `env:"AMQP_URL" envDefault:"amqp://guest:guest@127.0.0.1:5672/"`
	EventAliases bool   `env:"EVENT_ALIASES" envDefault:"false"`
	LegacyQueues bool   `env:"LEGACY_QUEUES" envDefault:"false"`

	Cluster          string        `env:"CLUSTER"`
	ClusterListen    string        `env:"CLUSTER_ADDR"`
	ClusterAdvertise string        `env:"CLUSTER_ADVERTISE"`
	ClusterLeaseTTL  time.Duration `env:"CLUSTER_LEASE_TTL" envDefault:"6s"`
	ClusterTLSCert   string        `env:"CLUSTER_TLS_CERT"`
	ClusterTLSKey    string        `env:"CLUSTER_TLS_KEY"`
	ClusterTLSCA     string        `env:"CLUSTER_TLS_CA"`

	StripeKey           string `env:"STRIPE_SECRET_KEY"`
	StripeWebhookSecret string `env:"STRIPE_WEBHOOK_SECRET"`
	StripeBase          string `env:"STRIPE_API_BASE"`

	ReservationTTL time.Duration `env:"RESERVATION_TTL" envDefault:"15m"`
	TaxRate        string        `env:"TAX_RATE" envDefault:"0.10"`
	ShippingFlat   int64         `env:"SHIPPING_FLAT" envDefault:"1000"`
	Currency       string        `env:"CURRENCY" envDefault:"usd"`

	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string     `env:"LOG_FORMAT" envDefault:"text"`
}

// loadConfig reads the environment. Every fault that it finds is in the error.
func loadConfig() (Config, error) {
	c, err := env.ParseAs[Config]()
	if err != nil {
		return c, fmt.Errorf("configuration: %w", namingVariables(err))
	}
	if c.AMQPURL == "off" {
		c.AMQPURL = ""
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// namingVariables puts the variable's name before each fault, which the parser names by the field.
func namingVariables(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	faults := make([]error, len(all.Errors))
	for i, fault := range all.Errors {
		faults[i] = fault
		var parse env.ParseError
		if errors.As(fault, &parse) {
			field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
			faults[i] = fmt.Errorf("%s: %w", field.Tag.Get("env"), parse.Err)
		}
	}
	return errors.Join(faults...)
}

// Validate returns every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if err := c.loopbackOnly(); err != nil {
		faults = append(faults, err)
	}
	if _, err := c.taxPPM(); err != nil {
		faults = append(faults, err)
	}
	if c.MongoURI == "" && c.DataDir == "" {
		fault("DATA_DIR or MONGODB_URI must be set")
	}
	if c.JournalArchiveAfter != 0 && (c.JournalArchiveAfter < time.Minute || c.JournalArchiveAfter > 10*365*24*time.Hour) {
		fault("JOURNAL_ARCHIVE_AFTER must be 0 or between 1m and 87600h, not %s", c.JournalArchiveAfter)
	}
	if c.ReservationTTL < time.Second || c.ReservationTTL > 30*24*time.Hour {
		fault("RESERVATION_TTL must be between 1s and 720h, not %s", c.ReservationTTL)
	}
	if c.ShippingFlat < 0 || c.ShippingFlat > 1_000_000_000 {
		fault("SHIPPING_FLAT must be between 0 and 1000000000 minor units, not %d", c.ShippingFlat)
	}
	if len(c.Currency) != 3 || strings.Trim(c.Currency, "abcdefghijklmnopqrstuvwxyz") != "" {
		fault("CURRENCY must be a lower-case ISO 4217 code such as usd, not %q", c.Currency)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		fault("LOG_FORMAT must be text or json, not %q", c.LogFormat)
	}
	if c.StripeBase != "" && c.StripeKey == "" {
		fault("STRIPE_API_BASE needs STRIPE_SECRET_KEY")
	}
	faults = append(faults, c.clusterFaults()...)
	return errors.Join(faults...)
}

// clustered says whether other members may share the store. A member that has an address for them wants it so.
func (c Config) clustered() bool {
	return c.Cluster == "mongo" || (c.Cluster == "" && c.MongoURI != "" && c.ClusterListen != "")
}

// clusterAddr is where this member listens for others; one that is alone takes any free port.
func (c Config) clusterAddr() string { return cmp.Or(c.ClusterListen, "127.0.0.1:0") }

func (c Config) clusterFaults() (faults []error) {
	if c.Cluster != "" && c.Cluster != "single" && c.Cluster != "mongo" {
		faults = append(faults, fmt.Errorf("CLUSTER must be single or mongo, not %q", c.Cluster))
	}
	if c.Cluster == "mongo" && (c.MongoURI == "" || c.ClusterListen == "") {
		faults = append(faults, errors.New("CLUSTER=mongo needs MONGODB_URI and CLUSTER_ADDR"))
	}
	for name, addr := range map[string]string{"CLUSTER_ADDR": c.ClusterListen, "CLUSTER_ADVERTISE": c.ClusterAdvertise} {
		if _, _, err := net.SplitHostPort(addr); addr != "" && err != nil {
			faults = append(faults, fmt.Errorf("%s must be host:port, not %q", name, addr))
		}
	}
	if c.ClusterLeaseTTL < time.Second || c.ClusterLeaseTTL > 5*time.Minute {
		faults = append(faults, fmt.Errorf("CLUSTER_LEASE_TTL must be between 1s and 5m, not %s", c.ClusterLeaseTTL))
	}
	if _, err := c.clusterTLS(); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// loopbackOnly keeps a server that lets everybody in off the network.
func (c Config) loopbackOnly() error {
	host, _, err := net.SplitHostPort(c.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR must be host:port, not %q", c.HTTPAddr)
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("HTTP_ADDR %q: without authentication the server listens on loopback only", c.HTTPAddr)
}

// taxPPM is the tax rate in parts per million.
func (c Config) taxPPM() (int64, error) {
	rate, ok := new(big.Rat).SetString(c.TaxRate)
	if ok {
		rate.Mul(rate, big.NewRat(1_000_000, 1))
	}
	if !ok || !rate.IsInt() || rate.Sign() < 0 || rate.Cmp(big.NewRat(1_000_000, 1)) > 0 {
		return 0, fmt.Errorf("TAX_RATE must be a decimal from 0 to 1 with at most 6 digits, such as 0.10, not %q", c.TaxRate)
	}
	return rate.Num().Int64(), nil
}

func (c Config) policy() order.Policy {
	ppm, _ := c.taxPPM() // checked by Validate
	return order.Policy{TaxPPM: ppm, ShippingFlat: c.ShippingFlat, Currency: c.Currency, ReservationTTL: c.ReservationTTL}
}

func (c Config) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}
