import Foundation

/// When the keys of an issuer are fetched: pure.
///
/// Once for all who wait, and seldom: whoever sends tokens with made-up keys must not have us call the issuer for each.
struct KeyRefresh: Sendable {
    /// The least time between two fetches, in seconds, when keys are there.
    static let pause: TimeInterval = 60
    /// The same while there are none: without them all its tokens are refused.
    static let firstPause: TimeInterval = 10
    /// How old keys may become before they are looked at again, in seconds. Those that were withdrawn are good for so long.
    static let freshness: TimeInterval = 600
    /// How many requests may wait for a fetch; others hear at once that there are no keys.
    static let mostWaiting = 100

    private(set) var hasKeys = false
    private(set) var isRunning = false
    private var fetchedAt = Date.distantPast
    private var beganAt = Date.distantPast
    private var waiting = 0

    enum Step: Equatable {
        /// Go on with what is known.
        case goOn
        /// Go on, and have the keys fetched meanwhile.
        case fetchBehind
        /// Have the keys fetched, and wait for them.
        case fetchAndWait
        /// Somebody has them fetched: wait, too.
        case wait
        /// There are no keys, and none can be had now.
        case unavailable
    }

    /// What to do about a token whose key is known, or not.
    mutating func step(isKnown: Bool, at now: Date) -> Step {
        if isKnown { return now.timeIntervalSince(fetchedAt) >= Self.freshness && begin(at: now) ? .fetchBehind : .goOn }
        if begin(at: now) { return .fetchAndWait }
        guard isRunning else { return hasKeys ? .goOn : .unavailable }
        guard waiting < Self.mostWaiting else { return .unavailable }
        waiting += 1
        return .wait
    }

    private mutating func begin(at now: Date) -> Bool {
        guard !isRunning, now.timeIntervalSince(beganAt) >= (hasKeys ? Self.pause : Self.firstPause) else { return false }
        (isRunning, beganAt) = (true, now)
        return true
    }

    /// The fetch has ended. Keys that are there stay when it failed.
    mutating func ended(withKeys: Bool, at now: Date) {
        (isRunning, waiting) = (false, 0)
        guard withKeys else { return }
        (hasKeys, fetchedAt) = (true, now)
    }
}
