public import Testing

/// Waits until a condition holds that something else brings about, and fails the test when that takes longer than `bound`.
public func eventually(
    within bound: Duration = .seconds(60), _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + bound
    while try await !condition() {
        try #require(ContinuousClock.now < end, comment ?? "it did not happen within \(bound)", sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}
