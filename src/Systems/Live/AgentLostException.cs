namespace ShmCheck.Systems.Live;

/// <summary>The agent is gone, hangs, or says what no agent says: there is no system under test
/// any more, and nothing is known of the call under way.</summary>
public sealed class AgentLostException : Exception
{
    /// <summary>The agent is lost.</summary>
    /// <param name="message">How.</param>
    /// <param name="cause">What brought it to light, if anything.</param>
    public AgentLostException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>A live system cannot be had here: something is missing, or in other hands.</summary>
/// <param name="message">What, and what to do about it.</param>
public sealed class SystemUnavailableException(string message) : Exception(message);
