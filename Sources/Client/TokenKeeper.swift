import MartletContract
import MartletIdentityAPI

/// The tokens of a session, refreshed by one call at a time.
actor TokenKeeper {
    private(set) var access: String?
    private(set) var refresh: RefreshToken?
    private var refreshing: Task<String?, any Error>?

    @discardableResult
    func keep(_ session: Session) -> Session {
        keep(access: session.accessToken, refresh: session.refreshToken)
        return session
    }

    func keep(access: String, refresh: RefreshToken?) {
        self.access = access
        self.refresh = refresh
    }

    /// Another access token of the same session.
    func keep(access: String) {
        self.access = access
    }

    func forget() {
        (access, refresh) = (nil, nil)
    }

    /// A token other than the one that was refused; `nil` when the session has ended.
    ///
    /// Whoever comes while a refresh is under way waits for it and shares its outcome.
    func refreshed(instead used: String?, by exchange: @escaping @Sendable (RefreshToken) async throws -> Session) async throws -> String? {
        if let refreshing { return try await refreshing.value }
        if let access, access != used { return access }
        guard let refresh else { return nil }
        let task = Task { () async throws -> String? in
            do {
                let session = try await exchange(refresh)
                // Whoever logged out meanwhile stays logged out.
                guard self.refresh == refresh else { return nil }
                return self.keep(session).accessToken
            } catch let problem as Problem where problem.status == 401 {
                self.forget()
                return nil
            }
        }
        refreshing = task
        defer { refreshing = nil }
        return try await task.value
    }
}
