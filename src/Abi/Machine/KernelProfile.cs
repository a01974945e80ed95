namespace ShmCheck.Abi;

/// <summary>A kernel version whose behaviour differs from its neighbours' in the calls of the
/// model. What differs is the matter of the specification and of each implementation.</summary>
public enum KernelProfile
{
    /// <summary>Linux 5.14.</summary>
    Linux5_14,
    /// <summary>Linux 6.1.</summary>
    Linux6_1,
    /// <summary>Linux 6.12.</summary>
    Linux6_12,
    /// <summary>Linux 6.18.</summary>
    Linux6_18,
}

/// <summary>The names of profiles in traces and on the command line.</summary>
public static class KernelProfileText
{
    /// <summary>For instance <c>6.18</c>.</summary>
    public static string Of(KernelProfile profile) => profile switch
    {
        KernelProfile.Linux5_14 => "5.14",
        KernelProfile.Linux6_1 => "6.1",
        KernelProfile.Linux6_12 => "6.12",
        KernelProfile.Linux6_18 => "6.18",
        _ => throw new ArgumentOutOfRangeException(nameof(profile), profile, "unknown profile"),
    };
}
