import Foundation
import Logging
import MartletCore
import Synchronization

/// The keys of another issuer: a secret, or the key set that it publishes, kept while the issuer is away.
final class IssuerKeys: Sendable {
    private let issuer: ExternalIssuer
    private let fetching: KeySetFetching
    private let state = Mutex(State())

    private struct State: Sendable {
        var keys: [String: TokenKey] = [:]
        var refresh = KeyRefresh()
        var fetch: Task<Void, Never>?
    }

    init(_ issuer: ExternalIssuer, _ fetching: KeySetFetching) {
        (self.issuer, self.fetching) = (issuer, fetching)
    }

    /// The key of an identifier, fetched where it may be; `nil` when there is none. Throws `unavailable` when the issuer, of which no keys are
    /// known, does not answer. Waits no longer than a fetch may take.
    func key(_ id: String?) async throws(Failure) -> TokenKey? {
        switch issuer.keys.place {
        case .secret(let secret, let name): return id == name ? TokenKey(material: .secret(secret), id: name) : nil
        case .published(let url):
            guard let id else { return nil }
            return try await key(id, at: url)
        }
    }

    private func key(_ id: String, at url: String) async throws(Failure) -> TokenKey? {
        let (step, fetch, key) = state.withLock { state in
            let step = state.refresh.step(isKnown: state.keys[id] != nil, at: fetching.clock.now)
            if step == .fetchAndWait || step == .fetchBehind { state.fetch = Task { await refresh(from: url) } }
            return (step, state.fetch, state.keys[id])
        }
        switch step {
        case .goOn, .fetchBehind: return key
        case .unavailable: throw Self.unavailable
        case .wait, .fetchAndWait:
            await fetch?.value
            let (found, hasKeys) = state.withLock { ($0.keys[id], $0.refresh.hasKeys) }
            guard hasKeys else { throw Self.unavailable }
            return found
        }
    }

    private func refresh(from url: String) async {
        let outcome = await fetching.keys(at: url, for: issuer.algorithms)
        switch outcome {
        case .success(let keys): end(with: keys)
        case .failure(let failure):
            fetching.logger.warning(
                "The keys of an issuer could not be fetched; those that are known stay", error: failure,
                metadata: ["issuer": "\(issuer.issuer)", "url": "\(url)"])
            end(with: nil)
        }
    }

    private func end(with keys: [String: TokenKey]?) {
        state.withLock { state in
            if let keys { state.keys = keys }
            state.refresh.ended(withKeys: keys != nil, at: fetching.clock.now)
            state.fetch = nil
        }
    }

    private static let unavailable = Failure.unavailable(
        "issuer_keys_unavailable", "The issuer of the access token cannot be asked for its keys now.", retryAfterSeconds: 5)
}
