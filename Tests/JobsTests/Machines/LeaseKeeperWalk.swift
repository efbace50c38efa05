import MartletTestSupport
import Testing

@testable import MartletJobs

/// Random histories of a keeper and a database whose answers are late, lost or failures, against the leases that the database has granted.
struct LeaseKeeperWalk {
    @Test(arguments: 1...60) func neverBelievesToHoldWhatTheDatabaseHasLetGo(seed: UInt64) throws {
        var walk = Walk(seed: seed)
        for _ in 0..<1_500 { try walk.step() }
        #expect(walk.sightings > 200 && walk.identity > 20)
        try walk.end()
    }

    @Test(arguments: 1...20) func aLeaseOutlastsThreeFailuresInARowAndSlowAnswers(seed: UInt64) throws {
        var walk = Walk(seed: seed, isHarsh: false)
        for _ in 0..<1_500 { try walk.step() }
        #expect(walk.identity == 1)
    }
}

private struct Walk {
    typealias Instant = ContinuousClock.Instant

    private enum Kind { case take, renew }

    private enum Fate: CaseIterable {
        case arrives, fails, isLost, isNotAnswered

        static func random(using random: inout SeededNumbers) -> Fate {
            Bool.random(using: &random) ? .arrives : allCases.randomElement(using: &random) ?? .arrives
        }
    }

    private struct Request {
        let kind: Kind
        let identity: Int
        let sentAt: Instant
        /// When it reaches the database, and when the answer comes; `nil`: never.
        let runs: Instant?
        let answers: Instant?
        var outcome: Bool?
    }

    private let period = Duration.seconds(30)
    private let isHarsh: Bool
    private var random: SeededNumbers
    private var keeper: LeaseKeeper
    private var now = ContinuousClock.now
    private var requests: [Request] = []
    /// The database: when the lease of each identity ends.
    private var leases: [Int: Instant] = [:]
    private(set) var identity = 0
    private var sent = 0
    /// How often a lease was held when it was looked at: a walk without is none.
    private(set) var sightings = 0
    private var grantedSending: Instant?
    private var hasAbandoned = true
    private var wakeUp: Instant

    init(seed: UInt64, isHarsh: Bool = true) {
        random = SeededNumbers(seed: seed)
        self.isHarsh = isHarsh
        keeper = LeaseKeeper(period: period)
        wakeUp = now
    }

    mutating func step() throws {
        advance()
        runRequests()
        try takeAnswers()
        try check()
        while try perform(keeper.next(at: now)) { try check() }
    }

    mutating func end() throws {
        keeper.shutDown()
        for _ in 0..<3 {
            let action = keeper.next(at: now)
            if action == .stop { break }
            try #require(action == .abandon || action == .release)
        }
        #expect(keeper.next(at: now + .seconds(100)) == .stop)
    }

    /// To the next event, and sometimes further: the process was not running.
    private mutating func advance() {
        let events = requests.flatMap { [$0.outcome == nil ? $0.runs : nil, $0.answers].compactMap { $0 } } + [wakeUp]
        now = max(now, events.min() ?? now)
        if isHarsh, Int.random(in: 0..<20, using: &random) == 0 { now += .milliseconds(Int.random(in: 0...40_000, using: &random)) }
    }

    private mutating func runRequests() {
        for place in requests.indices where requests[place].outcome == nil {
            guard let time = requests[place].runs, time <= now else { continue }
            let identity = requests[place].identity
            let isGranted = requests[place].kind == .take || leases[identity].map { time < $0 } ?? false
            if isGranted { leases[identity] = time + period }
            requests[place].outcome = isGranted
        }
    }

    private mutating func takeAnswers() throws {
        let due = requests.filter { $0.answers.map { $0 <= now } ?? false }
        requests.removeAll { request in request.answers.map { $0 <= now } ?? (request.runs == nil || request.outcome != nil) }
        for request in due { report(request) }
    }

    private mutating func report(_ request: Request) {
        let isOurs = request.identity == identity
        switch (request.outcome, request.kind) {
        case (true, .take):
            if isOurs, keeper.heldUntil == nil { grantedSending = request.sentAt }
            keeper.acquired(sentAt: request.sentAt)
        case (true, .renew):
            if isOurs { grantedSending = max(grantedSending ?? request.sentAt, request.sentAt) }
            keeper.renewed(sentAt: request.sentAt)
        case (false, _): keeper.refused(sentAt: request.sentAt)
        case (nil, _): keeper.failed(sentAt: request.sentAt, at: now)
        }
    }

    private mutating func perform(_ action: LeaseKeeper.Action) throws -> Bool {
        switch action {
        case .acquire:
            try #require(hasAbandoned, "a new identity before the work of the old one was cancelled")
            identity += 1
            (grantedSending, hasAbandoned) = (nil, false)
            send(.take)
        case .renew:
            try #require(keeper.isHeld(at: now))
            send(.renew)
        case .abandon: hasAbandoned = true
        case .wait(let until):
            try #require(until > now)
            // An identity that never had a lease has no work to cancel.
            if keeper.heldUntil == nil { hasAbandoned = true }
            wakeUp = until
            return false
        case .release, .stop: try #require(Bool(false), "nobody asked to stop")
        }
        return true
    }

    private mutating func send(_ kind: Kind) {
        let there = Duration.milliseconds(Int.random(in: 0...(isHarsh ? 20_000 : 1_000), using: &random))
        let back = Duration.milliseconds(Int.random(in: 0...(isHarsh ? 20_000 : 1_000), using: &random))
        let fate: Fate = isHarsh ? .random(using: &random) : sent % 4 == 0 ? .arrives : .fails
        sent += 1
        requests.append(
            Request(
                kind: kind, identity: identity, sentAt: now, runs: fate == .fails || fate == .isLost ? nil : now + there,
                answers: fate == .isLost || fate == .isNotAnswered ? nil : now + there + back))
    }

    private mutating func check() throws {
        guard keeper.isHeld(at: now) else { return }
        sightings += 1
        let sending = try #require(grantedSending)
        try #require(now < sending + period)
        try #require(leases[identity].map { now < $0 } ?? false)
    }
}
