import Foundation

/// What the clocks of a time zone read: the offset at a moment, and when it changes. All in seconds.
///
/// It asks the zone for offsets alone. `TimeZone.nextDaylightSavingTimeTransition` costs a hundred times as much.
struct ZoneClock {
    /// No clock was ever put back further, not even where the date line moved.
    static let longestPutBack = 25 * 3_600

    private let zone: TimeZone

    init(_ zone: TimeZone) { self.zone = zone }

    func offset(at moment: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment)))
    }

    /// The first moment with another offset than `moment`, if it comes until `end`. Two changes within a day that undo each other,
    /// which no zone ever had, are not seen.
    func firstChange(after moment: Int, through end: Int) -> Int? {
        let offset = offset(at: moment)
        var known = moment
        while known < end {
            let probe = min(known + 86_400, end)
            if self.offset(at: probe) != offset { return change(after: known, through: probe) }
            known = probe
        }
        return nil
    }

    private func change(after known: Int, through probe: Int) -> Int {
        let offset = offset(at: known)
        var (before, after) = (known, probe)
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if self.offset(at: middle) == offset { before = middle } else { after = middle }
        }
        return after
    }
}
