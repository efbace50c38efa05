import MartletContract
import MartletRateLimit
import Metrics

/// How often a limit decided what.
struct LimitCounts: Sendable {
    private let admitted, refused, admittedAlone, refusedAlone: Counter
    /// It could not be asked, and the call was answered with 503.
    let failed: Counter

    init(_ limit: LimitClass, _ factory: any MetricsFactory) {
        func counter(_ outcome: String) -> Counter {
            Counter(
                label: "martlet_rate_limit_decisions_total", dimensions: [("outcome", outcome), ("rule", limit.rawValue)], factory: factory)
        }
        (admitted, refused) = (counter("admitted"), counter("refused"))
        // By what stands in while the shared counts are away.
        (admittedAlone, refusedAlone) = (counter("fallback_admitted"), counter("fallback_refused"))
        failed = counter("failed")
    }

    func note(_ decision: Decision?, isExact: Bool) {
        guard let decision else { return }
        switch (decision.isAdmitted, isExact) {
        case (true, true): admitted.increment()
        case (false, true): refused.increment()
        case (true, false): admittedAlone.increment()
        case (false, false): refusedAlone.increment()
        }
    }
}
