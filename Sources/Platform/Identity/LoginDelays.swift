public import MartletCore
import MartletHTTP
public import MartletRateLimit

/// Slows those who guess passwords, so that nobody can lock another out.
///
/// Failures are counted for each pair of a login, as it was typed, and an address: five within 15 minutes are free, then each is followed by
/// a wait, of 1 s at first, twice as long each time, and 15 minutes at last. A success forgets its pair. From another address, or with
/// another login, nothing of that is felt.
///
/// Guessing from many addresses is counted for the login over all of them. After 100 failures in 15 minutes an address has one free attempt
/// instead of five, and waits from a minute on; who knows the password still gets in with the first attempt, from wherever.
///
/// Logins that name no account are counted in the same way. Of IPv6 an address is its network of 64 bits.
public struct LoginDelays: Sendable {
    /// What each pair of a login and an address may do.
    static let usual = GrowingDelay(patience: 5, within: .seconds(900), from: .seconds(1), upTo: .seconds(900))
    /// The same while the login is attacked from many addresses.
    static let underAttack = GrowingDelay(patience: 1, within: .seconds(900), from: .seconds(60), upTo: .seconds(900))
    /// Failures of one login over all addresses, beyond which it is attacked.
    static let attack = Rate(100, per: .seconds(900))

    let failures: any FailureCounter
    let limiter: any RateLimiter

    public init(failures: any FailureCounter, limiter: any RateLimiter) {
        (self.failures, self.limiter) = (failures, limiter)
    }

    /// Makes an attempt, if it need not wait. It counts as failed when it throws `unauthenticated` or `forbidden`, and when it is
    /// cancelled; other failures say nothing of the password and do not count.
    ///
    /// - Parameters:
    ///   - client: `nil` for sockets without addresses, which are one client.
    ///   - onWait: Told when it has to wait.
    func attempt<Result>(
        _ login: String, from client: IPAddress?, _ attempt: () async throws -> Result, onWait: () -> Void = {}
    ) async throws -> Result {
        let pair = Self.pair(login, client)
        let wait = try await failures.attempt(pair, try await isAttacked(login) ? Self.underAttack : Self.usual)
        guard wait == .zero else {
            onWait()
            throw Self.refusal(wait.wholeSeconds)
        }
        do {
            let result = try await attempt()
            try await failures.forget(pair)
            return result
        } catch let failure as Failure where failure.kind == .unauthenticated || failure.kind == .forbidden {
            _ = try await limiter.take([Self.demand(for: login)])
            throw failure
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try await failures.takeBack(pair)
            throw error
        }
    }

    private static func refusal(_ seconds: Int) -> Failure {
        Failure(.limited, "too_many_failures", "The password was wrong too often: wait \(seconds) s.", retryAfterSeconds: seconds)
    }

    /// By a call that weighs nothing.
    private func isAttacked(_ login: String) async throws -> Bool {
        try await limiter.take([Self.demand(for: login, weight: 0)]).first?.remaining == 0
    }

    static func pair(_ login: String, _ client: IPAddress?) -> String {
        "login:\(LoginDigest.of(login)):\(client?.limited ?? "unknown")"
    }

    static func demand(for login: String, weight: Int = 1) -> Demand {
        Demand("login-failures:\(LoginDigest.of(login))", attack, weight: weight)
    }
}
