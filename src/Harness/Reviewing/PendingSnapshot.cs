namespace ShmCheck.Harness.Reviewing;

/// <summary>What is the matter with a snapshot.</summary>
public enum SnapshotMatter
{
    /// <summary>The test has another text than its snapshot.</summary>
    Changed,
    /// <summary>The test has a text, and no snapshot yet.</summary>
    New,
    /// <summary>The snapshot belongs to no test; accepting that removes it.</summary>
    Dangling,
    /// <summary>A test should have a snapshot, and has not run since it went.</summary>
    Vanished,
}

/// <summary>A snapshot that somebody has to decide about.</summary>
/// <param name="Matter">What is the matter.</param>
/// <param name="Group">The fingerprint that it shows, or the test where it shows none.</param>
/// <param name="Received">Path of what the test has; none when it has nothing.</param>
/// <param name="Verified">Path of the snapshot, which may not be there.</param>
public sealed record PendingSnapshot(
    SnapshotMatter Matter, string Group, string? Received, string Verified)
{
    /// <summary>Name of the test, with its parameter.</summary>
    public string Name => SnapshotFolder.TestOf(Path.GetFileName(Verified));

    /// <summary>What the test has.</summary>
    public string After => Received is null ? "" : File.ReadAllText(Received);

    /// <summary>The snapshot as it is.</summary>
    public string Before => File.Exists(Verified) ? File.ReadAllText(Verified) : "";

    /// <summary>Takes what the test has for the snapshot, or removes one that belongs to nothing.
    /// </summary>
    public void Accept()
    {
        if (Received is not null)
        {
            File.Move(Received, Verified, overwrite: true);
        }
        else if (Matter == SnapshotMatter.Dangling)
        {
            File.Delete(Verified);
        }
    }

    /// <summary>Forgets what the test has; the snapshot stays.</summary>
    public void Reject()
    {
        if (Received is not null)
        {
            File.Delete(Received);
        }
    }
}
