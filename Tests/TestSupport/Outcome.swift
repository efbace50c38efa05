extension Result where Failure == any Error {
    /// How `body` ended, for what has to be cleared away in either case.
    public nonisolated(nonsending) init(_ body: nonisolated(nonsending) () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
