//! A terminal without a screen: runs programs as they behave for people, remembers what was to be seen, and draws it as an
//! animated SVG.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::num::NonZero;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use vt100::Parser;

/// For how long a command that was typed stands there before it runs, and its result before the next one.
const PAUSE: Duration = Duration::from_millis(1500);
/// For how long the last picture is shown before the film begins anew.
const LAST_PAUSE: Duration = Duration::from_secs(6);
/// Pictures that follow each other faster are left out.
const FASTEST: Duration = Duration::from_millis(160);
/// Of a character and a line, in pixels.
const CELL: (f32, u16) = (7.8, 19);
const MARGIN: u16 = 16;

/// What was to be seen, and when.
struct Frame {
    at: Duration,
    lines: Vec<String>,
}

/// A terminal of a fixed size.
pub struct Terminal {
    size: (u16, u16),
    screen: Parser,
    frames: Vec<Frame>,
    /// How much of the film there is.
    time: Duration,
}

impl Terminal {
    pub fn new(rows: u16, columns: u16) -> Self {
        Self {
            size: (rows, columns),
            screen: Parser::new(of_screen(rows), of_screen(columns), 0),
            frames: Vec::new(),
            time: Duration::ZERO,
        }
    }

    /// What is to be seen now.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Types a command.
    pub fn show_command(&mut self, line: &str) {
        self.add(format!("$ {line}").as_bytes());
        self.time += PAUSE;
        self.add(b"\r\n");
    }

    /// Runs a program until it ends.
    pub fn run(&mut self, mut command: Command) -> ExitStatus {
        let (mut controller, user) = self.open();
        let began = self.time;
        let started = Instant::now();
        let streams = [user.try_clone().unwrap(), user.try_clone().unwrap()].map(Stdio::from);
        let [input, output] = streams;
        let mut child = command.stdin(input).stdout(output).stderr(user).spawn().unwrap();
        // It holds the terminal open for writing.
        drop(command);
        let mut buffer = [0; 8192];
        // Reading fails once nobody has the terminal open.
        while let Ok(count @ 1..) = controller.read(&mut buffer) {
            self.time = began + started.elapsed();
            self.add(&buffer[..count]);
        }
        self.time += PAUSE;
        child.wait().unwrap()
    }

    fn open(&self) -> (File, File) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let (ws_row, ws_col) = self.size;
        tcsetwinsize(&controller, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let user = OpenOptions::new().read(true).write(true).open(name).unwrap();
        (File::from(controller), user)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        let lines: Vec<_> =
            self.screen.screen().rows(0, self.size.1).map(|line| line.trim_end().to_owned()).collect();
        if self.frames.last().is_some_and(|last| last.lines == lines) {
            return;
        }
        // The newest picture of a moment is the one that stays.
        if self.frames.len() > 1
            && self.frames.last().is_some_and(|last| self.time.saturating_sub(last.at) < FASTEST)
        {
            self.frames.pop();
        }
        self.frames.push(Frame { at: self.time, lines });
    }

    /// The film. Who wants no motion sees its last picture.
    pub fn svg(&self, title: &str) -> String {
        let (rows, columns) = self.size;
        let (width, height) =
            (f32::from(columns) * CELL.0 + f32::from(MARGIN * 2), rows * CELL.1 + MARGIN * 2);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height}\" role=\"img\">\n<title>{title}</title>\n\
             <style>text{{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6deeb;white-space:pre}}\
             .p{{fill:#7fdbca}}g{{visibility:hidden}}g:last-of-type{{visibility:visible}}\
             @media(prefers-reduced-motion:no-preference){{g,g:last-of-type{{visibility:hidden}}"
        );
        let total = (self.time + LAST_PAUSE).as_secs_f32();
        for (index, frame) in self.frames.iter().enumerate() {
            let from = frame.at.as_secs_f32() / total * 100.0;
            let to = self.frames.get(index + 1).map_or(100.0, |next| next.at.as_secs_f32() / total * 100.0);
            let _ = write!(
                svg,
                "#f{index}{{animation:a{index} {total:.1}s step-end infinite}}\
                 @keyframes a{index}{{0%{{visibility:hidden}}{from:.2}%{{visibility:visible}}{to:.2}%{{visibility:hidden}}}}"
            );
        }
        let _ = writeln!(svg, "}}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#011627\"/>");
        for (index, frame) in self.frames.iter().enumerate() {
            let _ = writeln!(svg, "<g id=\"f{index}\">{}</g>", lines(frame));
        }
        svg + "</svg>\n"
    }
}

fn of_screen(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a terminal has rows and columns")
}

fn lines(frame: &Frame) -> String {
    let mut svg = String::new();
    for (row, line) in (1..).zip(&frame.lines).filter(|(_, line)| !line.is_empty()) {
        let y = MARGIN + CELL.1 * row - 5;
        let class = if line.starts_with("$ ") { " class=\"p\"" } else { "" };
        // Whatever font there is: each line gets the width that its characters have in a terminal.
        let width = u16::try_from(line.chars().count()).map_or(0.0, f32::from) * CELL.0;
        let text = line.replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" textLength=\"{width:.1}\"{class}>{text}</text>");
    }
    svg
}
