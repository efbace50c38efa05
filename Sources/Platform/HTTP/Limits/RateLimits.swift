public import MartletContract
import MartletCore
public import MartletRateLimit
public import Metrics
import Synchronization

/// How often each kind of call may be made, and what counts them.
public struct RateLimits: Sendable {
    /// What holds for one kind of call.
    public struct Rule: Sendable, Hashable {
        public let rate: Rate
        /// What it is while the counts that all instances share are away.
        public let fallback: LimitFallback

        public init(_ rate: Rate, fallback: LimitFallback = .local) {
            (self.rate, self.fallback) = (rate, fallback)
        }
    }

    private let limiter: any RateLimiter
    private let rules: [LimitClass: Rule]
    private let counts: [LimitClass: LimitCounts]

    /// - Parameters:
    ///   - rules: Those of `none` have no effect, and kinds without a rule have no limit.
    ///   - metrics: Where decisions are counted.
    public init(
        _ limiter: any RateLimiter, rules: [LimitClass: Rule], metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) {
        self.limiter = limiter
        self.rules = rules.filter { $0.key != .none }
        counts = Dictionary(uniqueKeysWithValues: self.rules.keys.map { ($0, LimitCounts($0, metrics)) })
    }

    /// What a call of the operation is counted by; `nil` when it is not counted.
    func tab(of operation: APIOperation) -> LimitTab? {
        guard let rule = rules[operation.limit], let counts = counts[operation.limit] else { return nil }
        return LimitTab(limiter, operation.limit, rule, counts, weight: operation.weight)
    }
}

/// Whose calls are counted together.
enum LimitSubject {
    case user(Identifier<Account>)
    /// `nil` for sockets without addresses, which are all counted together.
    case address(IPAddress?)
    /// By the name that was given, whether there is such an account or not.
    case account(String)
}

/// What one call is counted by, and what was said of it so far.
final class LimitTab: Sendable {
    private let limiter: any RateLimiter
    private let name: String
    private let rule: RateLimits.Rule
    private let counts: LimitCounts
    private let weight: Int
    private let entries = Mutex<[LimitEntry]>([])

    init(_ limiter: any RateLimiter, _ kind: LimitClass, _ rule: RateLimits.Rule, _ counts: LimitCounts, weight: Int) {
        (self.limiter, name, self.rule, self.counts, self.weight) = (limiter, kind.rawValue, rule, counts, weight)
    }

    /// What was asked, in order.
    var asked: [LimitEntry] { entries.withLock { $0 } }

    /// Counts the call; throws `limited` when it is one too many.
    func take(_ subject: LimitSubject) async throws {
        let demand = Demand("\(name):\(subject.key)", rule.rate, weight: weight, fallback: rule.fallback)
        guard let decision = try await decision(demand) else { return }
        let entry = LimitEntry(policy: subject.isAccount ? "\(name)-account" : name, rate: rule.rate, decision: decision)
        entries.withLock { $0.append(entry) }
        if !decision.isAdmitted { throw Failure.limited(entry) }
    }

    private func decision(_ demand: Demand) async throws -> Decision? {
        do {
            let decision = try await limiter.take([demand]).first
            counts.note(decision, isExact: limiter.degradation == .exact)
            return decision
        } catch {
            counts.failed.increment()
            throw error
        }
    }
}

/// What a limit said of a call.
struct LimitEntry {
    let policy: String
    let rate: Rate
    let decision: Decision
}

extension LimitSubject {
    /// Accounts are named by a digest: what people type at a login is kept nowhere, and its length does not matter.
    fileprivate var key: String {
        switch self {
        case .user(let id): "user:\(id)"
        case .address(let address): "address:\(address?.limited ?? "unknown")"
        case .account(let name): "account:\(LoginDigest.of(name))"
        }
    }

    fileprivate var isAccount: Bool {
        if case .account = self { true } else { false }
    }
}

extension Failure {
    fileprivate static func limited(_ entry: LimitEntry) -> Failure {
        let seconds = max(1, entry.decision.retryAfter.wholeSeconds)
        return Failure(
            .limited, "rate_limited", "These were too many calls: wait \(seconds) s.", retryAfterSeconds: seconds)
    }
}

extension Duration {
    /// In whole seconds, rounded up.
    package var wholeSeconds: Int {
        Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0)
    }
}
