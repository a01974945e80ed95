using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>What fingerprints name instead of a rule when a system, or the specification, breaks
/// down.</summary>
internal static class Breakdown
{
    /// <summary>It threw.</summary>
    public const string Threw = "system.threw";

    /// <summary>A call does not come back.</summary>
    public const string Hung = "system.hung";

    /// <summary>The specification threw.</summary>
    public const string SpecificationThrew = "specification.threw";

    /// <summary>What a call that does not come back replies.</summary>
    public const string HungText = "nothing: it does not come back";

    /// <summary>The fingerprint of a call in which a system threw.</summary>
    public static Fingerprint Of(Exception problem, CallKind? call) =>
        problem is EndlessLoopException ? OfHang(call)
            : Fingerprint.Of(Threw, [problem.GetType().Name], call);

    /// <summary>The fingerprint of a call in which the specification threw.</summary>
    public static Fingerprint OfSpecification(Exception problem, CallKind call) =>
        Fingerprint.Of(SpecificationThrew, [problem.GetType().Name], call);

    /// <summary>The fingerprint of a call that does not come back.</summary>
    public static Fingerprint OfHang(CallKind? call) => Fingerprint.Of(Hung, ["reply"], call);
}
