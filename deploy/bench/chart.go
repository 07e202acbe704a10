package main

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series are the points of one system.
type series struct {
	name   string
	points plotter.XYs
}

// figure is what a chart shows.
type figure struct {
	file, title, x, y string
	logX, logY        bool
	series            []series
}

// charts draws all figures that the records have points for, and returns the names of their files.
func charts(records []Record, dir string) (files []string, err error) {
	for _, f := range figuresOf(records) {
		points := 0
		for _, s := range f.series {
			points += len(s.points)
		}
		if points < 2 {
			continue
		}
		if err := f.draw(filepath.Join(dir, f.file)); err != nil {
			return nil, fmt.Errorf("draw %s: %w", f.file, err)
		}
		files = append(files, f.file)
	}
	return files, nil
}

func figuresOf(records []Record) []figure {
	var figures []figure
	for _, w := range []workload{many, two, hot} {
		f := figure{file: "throughput-" + w.name + ".svg", title: "Orders confirmed per second: " + titles[w.name], x: "clients", y: "orders/s", logX: true}
		for _, system := range systemsOf(records) {
			f.series = append(f.series, series{system, throughput(records, w, system)})
		}
		figures = append(figures, f)
	}
	latency := figure{file: "latency.svg", title: "p99 of POST /orders at 25, 50 and 75 % of the system's own peak", x: "orders/s asked for", y: "ms", logY: true}
	for _, system := range systemsOf(records) {
		latency.series = append(latency.series, series{system, latencies(records, system)})
	}
	growth := figure{file: "growth.svg", title: "Orders confirmed per second while orders pile up", x: "thousand orders stored", y: "orders/s"}
	var points plotter.XYs
	for _, r := range growthRecords(records) {
		points = append(points, plotter.XY{X: float64(r.Stored+r.Done) / 1000, Y: r.PerSecond})
	}
	growth.series = []series{{ours, points}}
	return append(figures, latency, growth)
}

// throughput has a point for each number of clients.
func throughput(records []Record, w workload, system string) (points plotter.XYs) {
	for _, clients := range []int{1, 8, usual, 128} {
		of := filtered(records, func(r Record) bool {
			return (r.Part == partCompare || r.Part == partSweep) && r.Workload == w.name && r.System == system && r.Clients == clients
		})
		if len(of) > 0 {
			points = append(points, plotter.XY{X: float64(clients), Y: medianOf(of, all, perSecond)})
		}
	}
	return points
}

// latencies has a point for each fixed rate.
func latencies(records []Record, system string) (points plotter.XYs) {
	for _, share := range []int{25, 50, 75} {
		of := pacedRecords(records, system, share)
		if len(of) > 0 {
			points = append(points, plotter.XY{X: medianOf(of, all, func(r Record) float64 { return float64(r.Rate) }), Y: max(0.01, medianOf(of, all, p99))})
		}
	}
	return points
}

func pacedRecords(records []Record, system string, share int) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partPaced && r.System == system && r.Share == share })
}

func floorRecords(records []Record, of string, share int) []Record {
	return filtered(records, func(r Record) bool { return r.Part == partFloor && r.Workload == of && r.Share == share })
}

// palette is readable for the colour-blind, and in print.
var palette = []color.RGBA{{0, 90, 181, 255}, {220, 50, 32, 255}, {230, 159, 0, 255}, {0, 140, 100, 255}, {120, 94, 240, 255}}

func (f figure) draw(path string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = f.title, f.x, f.y
	for _, text := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font,
		&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		text.Variant = "Sans"
	}
	p.Legend.Top, p.Title.Padding = true, vg.Points(6)
	p.Add(plotter.NewGrid())
	if f.logX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks{{Value: 1, Label: "1"}, {Value: 8, Label: "8"}, {Value: 32, Label: "32"}, {Value: 128, Label: "128"}}
	}
	for i, s := range f.series {
		if len(s.points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(s.points)
		if err != nil {
			return err
		}
		line.Color, line.Width = palette[i%len(palette)], vg.Points(1.5)
		marks.Color, marks.Shape = palette[i%len(palette)], draw.CircleGlyph{}
		p.Add(line, marks)
		p.Legend.Add(s.name, line, marks)
	}
	p.X.Max *= 1.03 // room for its last label
	if f.logY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		p.Y.Min, p.Y.Max = math.Pow10(int(math.Floor(math.Log10(p.Y.Min)))), math.Pow10(int(math.Floor(math.Log10(p.Y.Max)))+1)
	} else {
		p.Y.Min, p.Y.Max = 0, p.Y.Max*1.3 // and for the legend
	}
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, path)
}
