public import Foundation
import MartletCore

/// Which moments a recurring job is due: by a cron expression or every so often. Instances that ask agree, because the moments depend on
/// nothing but the schedule.
public struct Schedule: Sendable, Hashable {
    /// What happens to moments that passed while nobody looked.
    public enum Missed: Sendable, Hashable {
        /// One firing for all of them, the newest.
        case once
        /// None: it waits for the next.
        case skip
        /// One firing for each, of the newest at most so many (1…1,000).
        case each(atMost: Int)
    }

    fileprivate enum Timing: Hashable {
        case cron(Cron, TimeZone)
        case every(milliseconds: Int)
    }

    private let timing: Timing
    private let missed: Missed

    private init(_ timing: Timing, _ missed: Missed) {
        if case .each(let most) = missed { precondition((1...Self.most).contains(most), "each(atMost:) takes 1…\(Self.most)") }
        self.timing = timing
        self.missed = missed
    }

    /// For an expression or a zone from outside.
    ///
    /// - Throws: what is wrong with the expression, or that there is no such zone.
    public init(cron text: String, in zone: String = "UTC", missed: Missed = .once) throws(CronFault) {
        let cron = try Cron(text)
        guard let zone = TimeZone(identifier: zone) else { throw CronFault("There is no time zone \(CronFault.quote(zone)).") }
        self.init(.cron(cron, zone), missed)
    }

    /// By a cron expression (see ``Cron``) in a time zone such as `Europe/Berlin`. Text that is wrong is a mistake of the program and stops
    /// it.
    public static func cron(_ text: String, in zone: String = "UTC", missed: Missed = .once) -> Schedule {
        do throws(CronFault) {
            return try Schedule(cron: text, in: zone, missed: missed)
        } catch {
            preconditionFailure("The schedule “\(text)” in “\(zone)” is wrong. \(error)")
        }
    }

    /// Every multiple of `period` since 1970-01-01 00:00 UTC. A period is 1 second to 10 years, in whole milliseconds; another is a mistake
    /// of the program and stops it.
    public static func every(_ period: Duration, missed: Missed = .once) -> Schedule {
        precondition(period >= .seconds(1) && period <= .seconds(3_660 * 86_400), "a period is 1 second to 10 years")
        let (seconds, fraction) = period.components
        precondition(fraction % 1_000_000_000_000_000 == 0, "a period is in whole milliseconds")
        return Schedule(.every(milliseconds: Int(seconds) * 1_000 + Int(fraction / 1_000_000_000_000_000)), missed)
    }

    /// Which moments to fire, the oldest first, and when to look next (`distantFuture` when nothing comes for 8 years).
    ///
    /// A schedule that is seen for the first time fires nothing and begins now: keep `now` as its `last`. Moments up to `last` never fire
    /// again, even when the clock was put back. The work is bounded however long ago `last` is.
    ///
    /// - Parameters:
    ///   - last: The last moment that was fired, or when the schedule began; `nil`: never seen yet.
    ///   - grace: For ``Missed/skip``: what is later than this was missed. All that is not fires, the newest 1,000 at most.
    public func due(since last: Date?, now: Date, grace: Duration = .seconds(60)) -> (firings: [Date], next: Date) {
        guard let last else { return ([], timing.next(after: now)) }
        return (firings(after: last, through: now, grace), timing.next(after: max(last, now)))
    }

    private func firings(after last: Date, through now: Date, _ grace: Duration) -> [Date] {
        switch missed {
        case .once: newest(1, after: last, through: now)
        case .each(let most): newest(most, after: last, through: now)
        case .skip: newest(Self.most, after: max(last, now - (grace / .seconds(1)) - Self.step), through: now)
        }
    }

    private func newest(_ most: Int, after last: Date, through now: Date) -> [Date] {
        var (moments, bound) = ([Date](), now)
        while moments.count < most, let moment = timing.latest(after: last, through: bound) {
            moments.append(moment)
            bound = moment - Self.step
        }
        return moments.reversed()
    }

    private static let most = 1_000
    /// Moments are whole milliseconds.
    private static let step = 0.001
}

extension Schedule.Timing {
    fileprivate func next(after moment: Date) -> Date {
        switch self {
        case .cron(let cron, let zone): cron.next(after: moment, in: zone) ?? .distantFuture
        case .every(let period): multiple(of: period, upTo: moment).map { $0 + TimeInterval(period) / 1_000 } ?? .distantFuture
        }
    }

    fileprivate func latest(after last: Date, through bound: Date) -> Date? {
        switch self {
        case .cron(let cron, let zone): cron.latest(after: last, through: bound, in: zone)
        case .every(let period): multiple(of: period, upTo: bound).flatMap { $0 > last ? $0 : nil }
        }
    }

    /// `nil` for a moment that no calendar names.
    private func multiple(of period: Int, upTo moment: Date) -> Date? {
        let milliseconds = (moment.timeIntervalSince1970 * 1_000).rounded(.toNearestOrEven)
        guard abs(milliseconds) < 9e14 else { return nil }
        let remainder = Int(milliseconds).quotientAndRemainder(flooredBy: period).remainder
        return Date(timeIntervalSince1970: (milliseconds - Double(remainder)) / 1_000)
    }
}

extension Cron {
    /// The last moment after `last` and not after `bound` that matches, found by halving: a year of minutes takes some twenty steps.
    fileprivate func latest(after last: Date, through bound: Date, in zone: TimeZone) -> Date? {
        guard last < bound, var found = next(after: last, in: zone), found <= bound else { return nil }
        var end = bound
        while let following = next(after: found, in: zone), following <= end {
            let middle = following + end.timeIntervalSince(following) / 2
            if let later = next(after: middle, in: zone), later <= end {
                found = later
            } else {
                (found, end) = (following, middle)
            }
        }
        return found
    }
}
