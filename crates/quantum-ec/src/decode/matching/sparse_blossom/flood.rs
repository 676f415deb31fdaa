//! Growth: events on the graph.

use super::arcs::{Arcs, NONE};
use super::queue::Event;
use super::state::{CROSSING, Node, Origin, Solver};

impl Solver {
    /// Events in the order of time until every tree has a partner or nothing is left to happen.
    pub(super) fn run(&mut self, graph: &Arcs) {
        while self.exposed > 0 {
            let Some(event) = self.queue.pop() else { return };
            self.now = event.time;
            if event.which == NONE {
                self.shrink(graph, event);
            } else if event.what & CROSSING != 0 {
                self.cross(graph, event.what & !CROSSING, event.which);
            } else {
                self.touch(graph, event.what, event.which);
            }
        }
    }

    /// Events of a node of a growing region: the next free node, and the regions beside.
    pub(super) fn scan(&mut self, graph: &Arcs, u: u32) {
        let node = self.nodes[u as usize];
        let local = self.local(node);
        let (from, to) = graph.range(u);
        let mut next = NONE;
        for (k, arc) in graph.slice(from, to).iter().enumerate() {
            let other = self.nodes[arc.to as usize];
            let room = i64::from(arc.weight) - local;
            if other.top == NONE {
                if next == NONE {
                    next = (from + k) as u32;
                    self.queue.push(self.now + room, u | CROSSING, next);
                }
            } else if other.top != node.top {
                let motion = self.motions[other.top as usize];
                if motion.slope >= 0 {
                    let slack = room - other.offset - motion.intercept - motion.slope * self.now;
                    debug_assert!(slack >= 0);
                    self.queue.push(self.now + (slack >> motion.slope), u, (from + k) as u32);
                }
            }
        }
        self.nodes[u as usize].next = next;
    }

    /// Events with growing regions beside a node that is free again or of a region that no longer shrinks.
    pub(super) fn scan_resting(&mut self, graph: &Arcs, u: u32) {
        let node = self.nodes[u as usize];
        let local = if node.top == NONE { 0 } else { self.local(node) };
        let (from, to) = graph.range(u);
        for (k, arc) in graph.slice(from, to).iter().enumerate() {
            let other = self.nodes[arc.to as usize];
            if other.top != NONE && other.top != node.top {
                let motion = self.motions[other.top as usize];
                if motion.slope == 1 {
                    let slack = i64::from(arc.weight) - local - other.offset - motion.intercept - self.now;
                    debug_assert!(slack >= 0);
                    self.queue.push(self.now + slack, u, (from + k) as u32);
                }
            }
        }
    }

    /// The region around `u` comes to the far end of an arc.
    fn cross(&mut self, graph: &Arcs, u: u32, h: u32) {
        let node = self.nodes[u as usize];
        if node.next != h || node.top == NONE || self.motions[node.top as usize].slope != 1 {
            return;
        }
        let local = self.local(node);
        let arc = graph.arc(h);
        if local != i64::from(arc.weight) {
            return;
        }
        if arc.to == graph.n_nodes() as u32 {
            self.reach_boundary(graph, u, h);
            return;
        }
        let (_, to) = graph.range(u);
        let from = h as usize + 1;
        let ahead = graph.slice(from, to).iter().position(|arc| self.nodes[arc.to as usize].top == NONE);
        self.nodes[u as usize].next = match ahead {
            None => NONE,
            Some(k) => {
                let next = (from + k) as u32;
                self.queue.push(self.now + i64::from(graph.arc(next).weight) - local, u | CROSSING, next);
                next
            }
        };
        if self.nodes[arc.to as usize].top == NONE {
            self.take(graph, u, arc.to, h);
        }
    }

    /// The two ends of an arc may be due to meet.
    fn touch(&mut self, graph: &Arcs, u: u32, h: u32) {
        let arc = graph.arc(h);
        let (near, far) = (self.nodes[u as usize], self.nodes[arc.to as usize]);
        if near.top == far.top {
            return;
        }
        let rest = |node: Node| {
            if node.top == NONE { (0, 0) } else { (self.local(node), self.motions[node.top as usize].slope) }
        };
        let ((a, s), (b, t)) = (rest(near), rest(far));
        let slack = i64::from(arc.weight) - a - b;
        debug_assert!(slack >= 0);
        if s + t <= 0 {
            return;
        }
        if near.top == NONE {
            if slack == 0 {
                self.take(graph, arc.to, u, h);
            }
        } else if far.top == NONE {
            if slack == 0 {
                self.take(graph, u, arc.to, h);
            }
        } else if slack > 0 {
            // One of the two has stopped since.
            self.queue.push(self.now + slack / (s + t), u, h);
        } else if s == 1 {
            self.collide(graph, u, arc.to, h);
        } else {
            self.collide(graph, arc.to, u, h);
        }
    }

    /// The region of `u` takes the free node `v`.
    fn take(&mut self, graph: &Arcs, u: u32, v: u32, h: u32) {
        let top = self.nodes[u as usize].top;
        self.nodes[v as usize] = Node { offset: -self.radius(top), top, next: NONE };
        let below = std::mem::replace(&mut self.regions[top as usize].shell, v);
        self.origins[v as usize] = Origin { parent: u, edge: graph.edge(h), below, leaf: NONE };
        self.taken.push(v);
        self.scan(graph, v);
    }

    /// Sets the time at which a shrinking region has to do something.
    pub(super) fn schedule_shrinking(&mut self, region: u32) {
        let shell = self.regions[region as usize].shell;
        let room = if shell == NONE { self.radius(region) } else { self.local(self.nodes[shell as usize]) };
        debug_assert!(room >= 0);
        let due = self.now + room.min(self.queue.horizon());
        self.regions[region as usize].due = due;
        self.queue.push(due, region, NONE);
    }

    /// A shrinking region gives up a node, or ends.
    fn shrink(&mut self, graph: &Arcs, event: Event) {
        let r = event.what;
        let region = self.regions[r as usize];
        if region.parent != NONE || self.motions[r as usize].slope != -1 || region.due != event.time {
            return;
        }
        if region.shell == NONE {
            if self.radius(r) > 0 {
                self.schedule_shrinking(r);
            } else {
                self.open(graph, r);
            }
            return;
        }
        let v = region.shell;
        if self.local(self.nodes[v as usize]) > 0 {
            self.schedule_shrinking(r);
        } else if self.origins[v as usize].parent == NONE {
            self.implode(graph, r);
        } else {
            self.regions[r as usize].shell = self.origins[v as usize].below;
            self.nodes[v as usize].top = NONE;
            self.schedule_shrinking(r);
            self.scan_resting(graph, v);
        }
    }
}
