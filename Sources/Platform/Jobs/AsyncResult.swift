extension Result where Failure == any Error {
    /// How `body` ended, for what has to be done in either case.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
