using System.Collections.Concurrent;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Campaigns;

/// <summary>The findings of a campaign, in memory and on disk. A divergence is on disk before
/// anything else is done with it, so that no crash loses it.</summary>
internal sealed class FindingStore(string? directory)
{
    private readonly ConcurrentDictionary<Fingerprint, Raw> _raw = new();
    private readonly HashSet<Fingerprint> _claimed = [];
    private readonly List<Finding> _findings = [];

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Fingerprints that are claimed.</summary>
    public int Claimed => _claimed.Count;

    /// <summary>A run as it was found, and in which block.</summary>
    private sealed record Raw(RunRecord Run, long Block);

    /// <summary>Writes a run as it was found, unless one with its fingerprint is there. May be
    /// called by any thread.</summary>
    public void KeepRaw(RunRecord found, long block)
    {
        if (_raw.TryAdd(found.Divergence!.Fingerprint, new Raw(found, block)))
        {
            WriteRaw(found);
        }
    }

    /// <summary>Claims the fingerprint of a run; false when it was claimed before.</summary>
    public bool TryClaim(RunRecord found) => _claimed.Add(found.Divergence!.Fingerprint);

    /// <summary>Gives all claims up: what is met again is shrunk again.</summary>
    public void ClaimAnew() => _claimed.Clear();

    /// <summary>Whether the fingerprint of a run was claimed before.</summary>
    public bool IsClaimed(RunRecord found) => _claimed.Contains(found.Divergence!.Fingerprint);

    /// <summary>Runs that nobody has claimed, as they were found, and their blocks.</summary>
    public IReadOnlyList<(RunRecord Run, long Block)> Rest() =>
        [.. Unclaimed().Select(raw => (raw.Run, raw.Block))];

    /// <summary>Adds, as they were found, the runs that nobody has claimed: those of blocks that
    /// were not taken.</summary>
    /// <param name="steps">Calls that the campaign had compared by then.</param>
    public void AddRest(long steps)
    {
        foreach (Raw raw in Unclaimed())
        {
            _claimed.Add(raw.Run.Divergence!.Fingerprint);
            Add(raw.Run, null, steps, raw.Block);
        }
    }

    /// <summary>Forgets the runs that nobody has claimed.</summary>
    public void RemoveRest()
    {
        foreach (Raw raw in Unclaimed())
        {
            Remove(raw.Run);
        }
    }

    /// <summary>Adds a claimed run, unless one with its fingerprint is there that is no longer.
    /// </summary>
    /// <param name="found">The run as it was found.</param>
    /// <param name="shrunk">What shrinking made of it.</param>
    /// <param name="steps">Calls that the campaign had compared by then.</param>
    /// <param name="block">The block.</param>
    public void Add(RunRecord found, ShrinkResult? shrunk, long steps, long block)
    {
        RunRecord record = shrunk?.Record ?? found;
        Divergence divergence = record.Divergence!;
        int before = _findings.FindIndex(f => f.Fingerprint.Equals(divergence.Fingerprint));
        if (before >= 0 && _findings[before].Calls.Length <= record.Calls.Count)
        {
            return;
        }

        // Another thread may have kept the run of a later block.
        _raw[divergence.Fingerprint] = new Raw(found, block);
        WriteRaw(found);
        string text = DivergenceText.Trace(record, shrunk);
        string? path = directory is null ? null
            : Write($"{divergence.Fingerprint.ToFileName()}.shm", text);
        var finding = new Finding(
            divergence.Fingerprint, record.Machine, [.. record.Calls], divergence,
            shrunk?.Certificate ?? Certificate.None, shrunk?.LowerBound ?? 0,
            shrunk?.Executions ?? 0, steps, block, text, path);
        if (before >= 0)
        {
            _findings[before] = finding;
        }
        else
        {
            _findings.Add(finding);
        }
    }

    private IEnumerable<Raw> Unclaimed() =>
    [
        .. _raw.Where(kept => !_claimed.Contains(kept.Key)
                && !_findings.Any(finding => finding.Fingerprint.Equals(kept.Key)))
            .Select(kept => kept.Value)
            .OrderBy(raw => RawName(raw.Run), StringComparer.Ordinal),
    ];

    private void WriteRaw(RunRecord found)
    {
        if (directory is not null)
        {
            Write(RawName(found), DivergenceText.Trace(found));
        }
    }

    private void Remove(RunRecord found)
    {
        if (directory is not null)
        {
            File.Delete(Path.Combine(directory, RawName(found)));
        }
    }

    private static string RawName(RunRecord found) =>
        $"{found.Divergence!.Fingerprint.ToFileName()}.raw.shm";

    private string Write(string name, string text)
    {
        Directory.CreateDirectory(directory!);
        string path = Path.Combine(directory!, name);
        string unfinished = $"{path}.{Environment.CurrentManagedThreadId}.tmp";
        File.WriteAllText(unfinished, text);
        File.Move(unfinished, path, overwrite: true);
        return path;
    }
}
