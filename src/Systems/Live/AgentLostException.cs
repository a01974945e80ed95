using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>There is no system under test any more, and nothing is known of the call under way.
/// </summary>
/// <param name="message">How the agent was lost.</param>
/// <param name="cause">What brought it to light, if anything.</param>
public abstract class AgentLostException(string message, Exception? cause)
    : SystemOutOfReachException(message, cause);

/// <summary>The agent has ended, or did not even start.</summary>
/// <param name="message">How.</param>
/// <param name="cause">What brought it to light, if anything.</param>
public sealed class AgentDiedException(string message, Exception? cause = null)
    : AgentLostException(message, cause);

/// <summary>The agent did not answer in time, and was ended.</summary>
/// <param name="message">How.</param>
/// <param name="cause">What brought it to light, if anything.</param>
public sealed class AgentHangsException(string message, Exception? cause = null)
    : AgentLostException(message, cause);

/// <summary>The agent says what no agent says.</summary>
/// <param name="message">What.</param>
/// <param name="cause">What brought it to light, if anything.</param>
public sealed class AgentProtocolException(string message, Exception? cause = null)
    : AgentLostException(message, cause);

/// <summary>A live system cannot be had here: something is missing, or in other hands.</summary>
/// <param name="message">What, and what to do about it.</param>
public sealed class SystemUnavailableException(string message)
    : SystemOutOfReachException(message);
