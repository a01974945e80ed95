using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>A figure that the system shows differently from what the specification says.
/// </summary>
/// <param name="Subject">What it is a figure of: <c>reply</c>, <c>machine</c>, <c>s1</c>,
/// <c>p1</c>, ...</param>
/// <param name="Field">Name of the field.</param>
/// <param name="Expected">What the specification says.</param>
/// <param name="Actual">What the system shows.</param>
/// <param name="Unit">Unit of both.</param>
public sealed record Difference(
    string Subject, string Field, string Expected, string Actual, string Unit)
{
    /// <summary>The subject where the specification contradicts itself: an invariant does not
    /// hold, whatever the system shows.</summary>
    internal const string OfSpecification = "specification";
}

/// <summary>The first step at which a system departs from the specification.</summary>
/// <param name="Step">Position of the call in the sequence, from 0; -1 when the machine was wrong
/// from its start.</param>
/// <param name="Call">The call; none at the start.</param>
/// <param name="Rule">The rule that decided what the specification says; none when the system
/// or the specification broke down.</param>
/// <param name="Fingerprint">Which bug it is.</param>
/// <param name="Differences">What differs, at least one.</param>
public sealed record Divergence(
    int Step, Call? Call, Rule? Rule, Fingerprint Fingerprint,
    ImmutableArray<Difference> Differences)
{
    /// <summary>What the system replied, where that is what differs; else null.</summary>
    public Reply? Replied { get; init; }
}
