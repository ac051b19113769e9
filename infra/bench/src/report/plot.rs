//! The plot of docs/performance.md: CPU time per row, and memory, over the number of rows.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;

use crate::findings::Median;

const SIZE: (u32, u32) = (960, 360);

/// Draws both beside each other into an SVG file. Needs two medians at least; with fewer, draws nothing.
///
/// # Errors
///
/// Fails if the file cannot be written.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
pub fn draw(growth: &[Median], path: &Path) -> Result<()> {
    if growth.len() < 2 {
        return Ok(());
    }
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let cpu: Vec<_> = growth.iter().map(|median| (median.rows as f64, median.cpu_ns_per_row())).collect();
    let memory: Vec<_> = growth.iter().map(|median| (median.rows as f64, median.rss_mib)).collect();
    chart(&left, "CPU per row, ns", &cpu)?;
    chart(&right, "Peak resident memory, MiB", &memory)?;
    area.present()?;
    Ok(())
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    points: &[(f64, f64)],
) -> Result<()> {
    let top = points.iter().map(|point| point.1).fold(0.0, f64::max) * 1.15;
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d((first..last).log_scale(), 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("rows of the export")
        .x_label_formatter(&|rows| label(*rows))
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2)))?;
    chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, BLUE.filled())))?;
    Ok(())
}

/// A number of rows such as `10k` or `1M`.
fn label(rows: f64) -> String {
    if rows >= 1e6 { format!("{:.0}M", rows / 1e6) } else { format!("{:.0}k", rows / 1e3) }
}
