using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Exploring;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Faults.Hunting;

/// <summary>How short a counterexample is known to be.</summary>
/// <param name="Machine">Its machine.</param>
/// <param name="Calls">Its calls.</param>
/// <param name="Certificate">What is known.</param>
/// <param name="LowerBound">No sequence of calls like these with fewer calls than this has the
/// fingerprint.</param>
public sealed record CertifiedTrace(
    MachineConfig Machine, ImmutableArray<Call> Calls, Certificate Certificate, int LowerBound);

/// <summary>How short the counterexamples of several faults are known to be.</summary>
/// <param name="Shortest">Those that are certified shortest.</param>
/// <param name="OneMinimal">Those that are 1-minimal and no more is known.</param>
/// <param name="Uncertified">The others.</param>
/// <param name="LeastSearched">Of those that are not certified shortest, the length up to which
/// all sequences were searched: the least, 0 when there are none.</param>
/// <param name="MostAbove">The most calls that one of them has above that length of its own.
/// </param>
/// <param name="InTiny">Those that the tiny scope covers.</param>
/// <param name="ShortestInTiny">Those of them that are certified shortest.</param>
public sealed record CertificateSummary(
    int Shortest, int OneMinimal, int Uncertified, int LeastSearched, int MostAbove, int InTiny,
    int ShortestInTiny)
{
    /// <summary>The summary of some counterexamples.</summary>
    public static CertificateSummary Of(IReadOnlyCollection<CertifiedTrace> traces)
    {
        Scope tiny = Scope.All.Single(scope => scope.Name == "tiny");
        CertifiedTrace[] others = [.. traces.Where(t => t.Certificate != Certificate.Shortest)];
        CertifiedTrace[] inTiny =
            [.. traces.Where(t => ScopeCover.Covers(tiny, t.Machine, t.Calls))];
        return new CertificateSummary(
            traces.Count - others.Length,
            others.Count(t => t.Certificate == Certificate.OneMinimal),
            others.Count(t => t.Certificate == Certificate.None),
            others.Select(Searched).DefaultIfEmpty().Min(),
            others.Select(t => t.Calls.Length - Searched(t)).DefaultIfEmpty().Max(),
            inTiny.Length, inTiny.Count(t => t.Certificate == Certificate.Shortest));
    }

    private static int Searched(CertifiedTrace trace) => Math.Max(trace.LowerBound - 1, 0);
}
